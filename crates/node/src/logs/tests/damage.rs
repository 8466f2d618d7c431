//! Segments that were cut off, changed, or written by another release.

use super::*;
use std::fs;

/// A log of two segments: so many lines in the first, three in the second.
fn two_segments(data: &Path) -> usize {
    let mut desk = Desk::new(data, SMALL);
    let mut lines = 0;
    while segments(data, "shop").len() < 2 {
        desk.print("shop", lines, &format!("{lines} {}", "x".repeat(8_000)));
        desk.flush();
        lines += 1;
    }
    for line in lines..lines + 2 {
        desk.print("shop", line, &format!("{line} more"));
    }
    desk.flush();
    usize::try_from(lines - 1).unwrap()
}

#[test]
fn a_tail_cut_at_any_byte_costs_what_was_cut() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    let mut ends = vec![usize::try_from(segment::HEADER_BYTES).unwrap()];
    let path = || segments(data.path(), "shop").remove(0);
    for line in 0..4 {
        desk.print("shop", line, &format!("line {line}"));
        desk.flush();
        ends.push(fs::read(path()).unwrap().len());
    }
    drop(desk);
    let (path, whole) = (path(), fs::read(path()).unwrap());
    for (blank, since_us) in [(0, 0), (0, u64::MAX), (1, 0), (700, u64::MAX), (70_000, 0)] {
        for cut in 0..=whole.len() {
            // With the power a file may also keep its length and lose what was in it.
            let left = [&whole[..cut], &vec![0; blank][..]].concat();
            fs::write(&path, &left).unwrap();
            // A zero may stand where one was.
            let ended = ends.iter().filter(|end| left.starts_with(&whole[..**end])).count();
            let lines = ended.saturating_sub(1);
            let expected: Vec<String> = (0..lines).map(|line| format!("line {line}")).collect();
            if ended > 0 {
                assert_eq!(texts(&all(data.path(), "shop")), expected, "cut at {cut}, then {blank} zeros");
            }
            let mut desk = Desk::since(since_us, data.path(), SMALL);
            desk.print("shop", 9, "after");
            desk.flush();
            let page = all(data.path(), "shop");
            if ended > 0 {
                assert_eq!(texts(&page), [&expected[..], &["after".to_owned()]].concat(), "cut at {cut} + {blank}");
                assert!(page.notes.is_empty() && segments(data.path(), "shop").len() == 1, "{:?}", page.notes);
            } else {
                // Without its header a segment is left as it is, and the next one begun.
                assert_eq!(texts(&page), ["after"], "cut at {cut}");
                segments(data.path(), "shop").iter().skip(1).for_each(|path| fs::remove_file(path).unwrap());
            }
        }
    }
}

#[test]
fn damage_in_the_midst_costs_the_rest_of_its_segment() {
    let data = tempfile::tempdir().unwrap();
    let first = two_segments(data.path());
    let [one, two] = segments(data.path(), "shop").try_into().unwrap();
    let whole = fs::read(&one).unwrap();
    for at in (usize::try_from(segment::HEADER_BYTES).unwrap()..whole.len()).step_by(1_009) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&one, bytes).unwrap();
        let page = all(data.path(), "shop");
        let [note] = &page.notes[..] else { panic!("{at}: {:?}", page.notes) };
        assert!(matches!(note.kind, LogErrorKind::EntryDamaged { .. }), "{note:?}");
        let shown = texts(&page);
        let before = at * first / whole.len();
        assert!(shown.len() >= before.saturating_sub(1) + 3 && shown.len() < first + 3, "{at}: {}", shown.len());
        assert_eq!(shown[shown.len() - 1], format!("{} more", first + 2));
    }
    // Damage in the segment that is written: what was behind it stays where it is, what comes stands in the next one.
    fs::write(&one, &whole).unwrap();
    let mut bytes = fs::read(&two).unwrap();
    bytes[5_000] ^= 1;
    fs::write(&two, bytes).unwrap();
    let page = all(data.path(), "shop");
    assert_eq!((page.records.len(), page.notes.len()), (first, 1));
    let query = LogQuery { after: page.cursor, ..LogQuery::all(app("shop")) };
    let again = LogReader::open(data.path()).unwrap().read(&query).unwrap();
    assert!(again.notes.is_empty() && again.is_end && again.cursor == page.cursor, "told once: {again:?}");
    let mut desk = Desk::new(data.path(), SMALL);
    desk.print("shop", 9, "after");
    desk.flush();
    let page = LogReader::open(data.path()).unwrap().read(&query).unwrap();
    assert_eq!((texts(&page), page.notes.len(), page.is_gap), (vec!["after".to_owned()], 1, false));
}

#[test]
fn a_segment_of_another_release_is_left_out_and_told() {
    let data = tempfile::tempdir().unwrap();
    two_segments(data.path());
    let [one, two] = segments(data.path(), "shop").try_into().unwrap();
    let change = |path: &Path, at: usize, to: u8| {
        let mut bytes = fs::read(path).unwrap();
        bytes[at] = to;
        fs::write(path, bytes).unwrap();
    };
    change(&one, 8, 2);
    let page = all(data.path(), "shop");
    assert_eq!(page.records.len(), 3);
    assert_eq!(page.notes[0].kind.to_string(), "it is of format 2, this release reads format 1");
    // The one that is written is of a later release: what comes stands in the next one.
    change(&two, 8, 2);
    let mut desk = Desk::new(data.path(), SMALL);
    desk.print("shop", 9, "after");
    desk.flush();
    let page = all(data.path(), "shop");
    assert_eq!((texts(&page), page.notes.len()), (vec!["after".to_owned()], 2));
    assert_eq!(segments(data.path(), "shop").len(), 3);
    // A cursor behind a segment that cannot be read leads on.
    fs::remove_file(&segments(data.path(), "shop")[2]).unwrap();
    let end = all(data.path(), "shop");
    let query = LogQuery { after: end.cursor, ..LogQuery::all(app("shop")) };
    let again = desk.logs.reader().read(&query).unwrap();
    assert!(again.is_end && !again.is_gap && again.notes.is_empty(), "{again:?}");
}
