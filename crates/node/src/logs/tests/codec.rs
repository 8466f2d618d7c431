//! The form on disk: it comes back, it stays as it is, and other releases' entries do no harm.

use super::*;
use crate::logs::record::{decode, encode};
use cumulet_spec::outcome::Outcome;
use proptest::prelude::*;
use std::fmt::Write as _;

fn ended<'a>(outcome: Outcome, path: &'a str, detail: Option<&'a str>) -> EndedInvocation<'a> {
    let quantities = [1_042, 61, 65_536, 10, 1_500];
    EndedInvocation { started_us: START_US, status: 500, outcome, method: "GET", path, quantities, detail }
}

fn encoded(entry: &Entry<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    encode(entry, &mut payload);
    payload
}

fn entries(request: &RequestId, check: impl FnOnce(&[Entry<'_>])) {
    let source = Some(Source { request, component: "front", revision: "0123456789ab" });
    let trapped = ended(Outcome::Trap, "/cart", Some("unreachable\nat cart"));
    let output = |channel, text| Content::Output { channel, text };
    check(&[
        Entry { time_us: START_US, source, content: output(Channel::Stdout, b"hello") },
        Entry { time_us: START_US + 1, source, content: output(Channel::Stderr, b"\xff\x1b[31m") },
        Entry { time_us: START_US + 2, source, content: Content::Invocation(&trapped) },
        Entry { time_us: START_US + 3, source: None, content: Content::Dropped { pieces: 12 } },
    ]);
}

/// JSON whose keys are in the order of their letters, as the command line prints it.
fn in_order(entry: &cumulet_spec::api::LogEntry) -> String {
    serde_json::to_string_pretty(&serde_json::to_value(entry).unwrap()).unwrap()
}

#[test]
fn a_segment_stays_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    entries(&RequestId::from_bits(0x0123_4567_89ab_cdef), |entries| {
        entries.iter().for_each(|entry| desk.shelf.add(&app("shop"), entry, now()));
    });
    desk.flush();
    let bytes = std::fs::read(&segments(data.path(), "shop")[0]).unwrap();
    let mut text = String::new();
    for line in bytes.chunks(16) {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown: String =
            line.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        writeln!(text, "{:47}  {shown}", hex.join(" ")).unwrap();
    }
    insta::assert_snapshot!(text);
    let records = all(data.path(), "shop").records;
    let json: Vec<String> = records.iter().map(|record| in_order(&record.view())).collect();
    insta::assert_snapshot!(json.join("\n"));
}

#[test]
fn entries_of_other_releases_do_no_harm() {
    entries(&RequestId::from_bits(1), |entries| {
        for entry in entries {
            let payload = encoded(entry);
            let known = decode(&payload).unwrap();
            // A later release adds to an entry; an earlier one had less in it.
            assert_eq!(decode(&[&payload[..], b"something new"].concat()), Some(known.clone()));
            let shorter = decode(&payload[..payload.len() - 5]);
            assert!(shorter.is_none_or(|shorter| shorter.time_us == known.time_us));
            let other_kind = [&[9][..], &payload[1..]].concat();
            assert_eq!(decode(&other_kind), None);
        }
    });
    let unknown =
        encoded(&Entry { time_us: 1, source: None, content: Content::Invocation(&ended(Outcome::Trap, "/", None)) });
    let at = unknown.windows(4).position(|window| window == b"trap").unwrap();
    let renamed = [&unknown[..at], b"tarp", &unknown[at + 4..]].concat();
    assert_eq!(decode(&renamed), None, "an outcome that is not known is no other one");
}

#[test]
fn what_is_too_long_is_cut() {
    let long = "é".repeat(40_000);
    let ended = EndedInvocation { method: &long, ..ended(Outcome::Ok, &long, Some(&long)) };
    let payload = encoded(&Entry { time_us: 1, source: None, content: Content::Invocation(&ended) });
    assert!(payload.len() <= record::PAYLOAD_BYTES_MAX, "{}", payload.len());
    let LogContent::Invocation(found) = decode(&payload).unwrap().content else { panic!("another kind") };
    assert_eq!((found.method.len(), found.path.len()), (32, 4_096));
    assert_eq!(found.detail.unwrap().len(), record::TEXT_BYTES_MAX);
}

proptest! {
    #[test]
    fn an_entry_comes_back(
        time_us: u64,
        request in "[A-Za-z0-9._-]{1,64}",
        component in "[a-z0-9-]{1,63}",
        text in ".{0,300}",
        is_error: bool,
        outcome in 0..Outcome::ALL.len(),
        quantities: [u64; 5],
        detail in proptest::option::of(".{1,200}"),
        pieces: u64,
    ) {
        let request: RequestId = request.parse().unwrap();
        let source = Some(Source { request: &request, component: &component, revision: "0123456789ab" });
        let channel = if is_error { Channel::Stderr } else { Channel::Stdout };
        let ended = EndedInvocation {
            quantities,
            ..ended(Outcome::ALL[outcome], &text, detail.as_deref())
        };
        for content in [
            Content::Output { channel, text: text.as_bytes() },
            Content::Invocation(&ended),
            Content::Dropped { pieces },
        ] {
            let record = decode(&encoded(&Entry { time_us, source, content })).unwrap();
            prop_assert_eq!(record.time_us, time_us);
            let found = record.source.unwrap();
            prop_assert_eq!((found.request, found.component.as_str()), (request, component.as_str()));
            match record.content {
                LogContent::Output { channel: found, text: line } => prop_assert_eq!((found, line), (channel, text.clone())),
                LogContent::Dropped { pieces: found } => prop_assert_eq!(found, pieces),
                LogContent::Invocation(found) => {
                    let shown = [found.wall_us, found.executed_us, found.memory_peak_bytes, found.bytes_in, found.bytes_out];
                    prop_assert_eq!((found.outcome, shown), (ended.outcome, quantities));
                    prop_assert_eq!((&found.path, &found.detail), (&text, &detail));
                }
            }
        }
    }

    /// Bytes that are no entry, or no frame, are none: never a panic.
    #[test]
    fn anything_may_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200), flip: usize) {
        let _any = decode(&bytes);
        let _any = frame::first(&bytes);
        let _any = frame::ends_whole(&bytes);
        let mut framed = Vec::new();
        let length = frame::append(&mut framed, |out| out.extend_from_slice(&[&[1][..], &bytes].concat()));
        prop_assert_eq!(frame::first(&framed), frame::Frame::Whole(&framed[8..length - 4], length));
        prop_assert!(frame::ends_whole(&framed) && frame::ends_whole(&[&bytes[..], &framed].concat()));
        let at = flip % framed.len();
        framed[at] ^= 0x20;
        prop_assert!(!matches!(frame::first(&framed), frame::Frame::Whole(..)), "a change went unnoticed");
    }
}
