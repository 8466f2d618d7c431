//! What is damaged, foreign or of another time is named, with what to do about it; nothing of it is changed.

use std::error::Error as _;
use std::fs;

use rusqlite::Connection;

use super::*;

/// A ledger with five drained records and three in the ring.
fn make(data: &Path) {
    let ledger = Ledger::open(data, SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let mut generator = Generator::new(3, vec![acme], 0);
    for _ in 0..5 {
        ledger.reserve().unwrap().append(&generator.entry());
    }
    ledger.drain(START_US, &[]).unwrap();
    for _ in 0..3 {
        ledger.reserve().unwrap().append(&generator.entry());
    }
}

fn append_one(data: &Path) {
    let ledger = Ledger::open(data, SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    ledger.reserve().unwrap().append(&Generator::new(4, vec![acme], 100).entry());
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn execute(path: &Path, text: &str) {
    Connection::open(path).unwrap().execute_batch(text).unwrap();
}

/// The error and its causes, without the folder of the test.
fn told(error: &LedgerError, data: &Path) -> String {
    let text = format!("{error}: {}", error.source().unwrap());
    text.replace(data.to_str().unwrap(), "DATA")
}

#[test]
fn what_is_wrong_is_named_with_the_next_step() {
    type Change = fn(&Path);
    let cases: [(&str, Change); 14] = [
        ("ring: other file", |folder| change(&folder.join("ring"), |bytes| bytes[0] ^= 1)),
        ("ring: other format", |folder| change(&folder.join("ring"), |bytes| bytes[8] = 2)),
        ("ring: header damaged", |folder| change(&folder.join("ring"), |bytes| bytes[24] = 4)),
        ("ring: too short", |folder| change(&folder.join("ring"), |bytes| bytes.truncate(5_000))),
        ("ring: empty", |folder| change(&folder.join("ring"), Vec::clear)),
        ("ring: of another ledger", |folder| {
            let other = tempfile::tempdir().unwrap();
            make(other.path());
            fs::copy(other.path().join("ledger/ring"), folder.join("ring")).unwrap();
        }),
        ("ring: far ahead", |folder| {
            let database = folder.join("ledger.db");
            execute(&database, "UPDATE lane SET drained = 1000");
            append_one(folder.parent().unwrap());
            execute(&database, "UPDATE lane SET drained = 0");
        }),
        ("database: no database", |folder| fs::write(folder.join("ledger.db"), [7; 8_192]).unwrap()),
        ("database: damaged", |folder| change(&folder.join("ledger.db"), |bytes| bytes[100..4_000].fill(0xff))),
        ("database: other file", |folder| execute(&folder.join("ledger.db"), "PRAGMA application_id = 1")),
        ("database: other format", |folder| execute(&folder.join("ledger.db"), "PRAGMA user_version = 2")),
        ("segment: too short", |folder| change(&folder.join("records/00000001.seg"), |bytes| bytes.truncate(300))),
        ("segment: other format", |folder| change(&folder.join("records/00000001.seg"), |bytes| bytes[8] = 2)),
        ("segment: of another ledger", |folder| {
            let other = tempfile::tempdir().unwrap();
            make(other.path());
            fs::copy(other.path().join("ledger/records/00000001.seg"), folder.join("records/00000001.seg")).unwrap();
        }),
    ];
    let mut lines = Vec::new();
    for (name, change) in cases {
        let data = tempfile::tempdir().unwrap();
        make(data.path());
        change(&data.path().join("ledger"));
        let error = Ledger::open(data.path(), SMALL).unwrap_err();
        lines.push(format!("{name}\n    {}", told(&error, data.path())));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_second_node_is_told_so() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let place = ledger.reserve().unwrap();
    drop(ledger);
    // Whoever holds a place may still append.
    let error = Ledger::open(data.path(), SMALL).unwrap_err();
    assert!(matches!(error.kind, LedgerErrorKind::InUse), "{error}");
    insta::assert_snapshot!(told(&error, data.path()));
    drop(place);
    Ledger::open(data.path(), SMALL).unwrap();
}

/// Setting a file aside is the operator's choice, and then it works.
#[test]
fn what_was_set_aside_is_made_anew() {
    let check = |name: &str, records: usize, invocations: u64| {
        let data = tempfile::tempdir().unwrap();
        make(data.path());
        fs::rename(data.path().join("ledger").join(name), data.path().join("aside")).unwrap();
        append_one(data.path());
        Ledger::open(data.path(), SMALL).unwrap().drain(START_US, &[]).unwrap();
        let reader = LedgerReader::open(data.path()).unwrap();
        assert_eq!(reader.records().unwrap().map(Result::unwrap).count(), records, "{name}");
        assert_eq!(reader.sums(&Query::default()).unwrap()[0].sums.invocations, invocations, "{name}");
    };
    check("ring", 6, 6);
    check("records/00000001.seg", 4, 9);
}

/// The words of a place of the ring, by the sequence in it.
fn place_of(ring: &[u8], sequence: u64) -> usize {
    let places = (4_096..ring.len()).step_by(128);
    let holds = |at: &usize| {
        let words = record::words_of(ring[*at..*at + 128].try_into().unwrap());
        record::decode(&words).is_some_and(|(position, _)| position.sequence == sequence)
    };
    places.into_iter().find(holds).unwrap()
}

#[test]
fn a_torn_record_is_skipped_and_those_around_it_count() {
    type Tear = fn(&mut [u8]);
    let tears: [(&str, Tear); 3] = [
        ("one bit", |place| place[40] ^= 1),
        ("the check is missing", |place| place[120..].fill(0)),
        ("nothing was written", |place| place.fill(0)),
    ];
    for (name, tear) in tears {
        let data = tempfile::tempdir().unwrap();
        make(data.path());
        change(&data.path().join("ledger/ring"), |ring| {
            let at = place_of(ring, 6);
            tear(&mut ring[at..at + 128]);
        });
        let ledger = Ledger::open(data.path(), SMALL).unwrap();
        assert_eq!(ledger.recovered(), Recovered { records: 2, cut_bytes: 0 }, "{name}");
        let drained = ledger.drain(START_US, &[]).unwrap();
        assert_eq!(drained, Drained { records: 2, holes: 1, rejections: 0 }, "{name}");
        assert_eq!((audit(data.path()).0.len(), ledger.free_places()), (7, 8 * 64), "{name}");
    }
}

#[test]
fn a_damaged_record_in_a_segment_is_told_and_the_others_are_read() {
    let data = tempfile::tempdir().unwrap();
    make(data.path());
    change(&data.path().join("ledger/records/00000001.seg"), |bytes| bytes[128 * 3 + 5] ^= 1);
    let reader = LedgerReader::open(data.path()).unwrap();
    let read: Vec<_> = reader.records().unwrap().collect();
    assert_eq!((read.len(), read.iter().filter(|record| record.is_ok()).count()), (5, 4));
    insta::assert_snapshot!(told(read[2].as_ref().unwrap_err(), data.path()));
}
