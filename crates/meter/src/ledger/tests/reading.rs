//! What can be read, and when.

use super::*;

struct Case {
    app: &'static str,
    minute: u64,
    outcome: Outcome,
    executed_us: u64,
}

const fn case(app: &'static str, minute: u64, outcome: Outcome, executed_us: u64) -> Case {
    Case { app, minute, outcome, executed_us }
}

const CASES: [Case; 6] = [
    case("shop", 0, Outcome::Ok, 1),
    case("shop", 0, Outcome::Trap, 20),
    case("shop", 2, Outcome::Ok, 300),
    case("shop", 2, Outcome::HostError, 4_000),
    case("blog", 2, Outcome::Ok, 50_000),
    case("blog", 3, Outcome::Ok, 600_000),
];

fn minute(number: u64) -> Minute {
    Minute(Minute::of_us(START_US).0 + number)
}

fn append(ledger: &Ledger, case: &Case) {
    let id = ledger.subject(&subject("acme", case.app)).unwrap();
    let usage = Usage {
        executed_us: case.executed_us,
        wall_us: 2 * case.executed_us,
        // Large enough for memory-time not to fit into 64 bits when it is summed.
        memory_peak_bytes: 1 << 44,
        ..Usage::default()
    };
    let started_us = minute(case.minute).start_us() + 59_999_999;
    let entry = Entry { subject: id, id: InvocationId(case.executed_us), started_us, outcome: case.outcome, usage };
    ledger.reserve().unwrap().append(&entry);
}

fn rejections() -> [RejectionSum; 2] {
    let make = |minute, outcome, rejections| RejectionSum {
        minute,
        tenant: TenantId::parse("acme").unwrap(),
        app: AppName::parse("shop").unwrap(),
        component: ComponentName::parse("front").unwrap(),
        outcome,
        rejections,
    };
    [make(minute(0), Outcome::Quota, 5), make(minute(2), Outcome::Shed, 6)]
}

fn filled(data: &Path) -> Ledger {
    let ledger = Ledger::open(data, SMALL).unwrap();
    CASES.iter().for_each(|case| append(&ledger, case));
    ledger.drain(START_US + 1, &rejections()).unwrap();
    ledger
}

#[test]
fn sums_are_told_apart_as_asked() {
    let data = tempfile::tempdir().unwrap();
    let _ledger = filled(data.path());
    let reader = LedgerReader::open(data.path()).unwrap();
    let check = |query: Query, expected: &[(&str, u64, u64, u64)]| {
        let rows = reader.sums(&query).unwrap();
        let found: Vec<(String, u64, u64, u64)> = rows
            .iter()
            .map(|row| {
                let text = |part: Option<String>| part.map(|part| part + " ").unwrap_or_default();
                let minute = row.minute.map(|found| (found.0 - minute(0).0).to_string());
                let named = [
                    text(minute),
                    text(row.app.as_ref().map(ToString::to_string)),
                    text(row.outcome.map(|outcome| outcome.to_string())),
                ];
                let sums = row.sums;
                assert_eq!(sums.wall_us, 2 * sums.executed_us);
                (named.concat().trim().to_owned(), sums.invocations, sums.rejections, sums.executed_us)
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(name, a, b, c)| ((*name).to_owned(), *a, *b, *c)).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    let by = |by: &[Dimension]| Query { by: by.to_vec(), ..Query::default() };
    check(by(&[]), &[("", 6, 11, 654_321)]);
    check(by(&[Dimension::App]), &[("blog", 2, 0, 650_000), ("shop", 4, 11, 4_321)]);
    check(
        by(&[Dimension::Minute, Dimension::App]),
        &[("0 shop", 2, 5, 21), ("2 blog", 1, 0, 50_000), ("2 shop", 2, 6, 4_300), ("3 blog", 1, 0, 600_000)],
    );
    check(
        Query { app: Some(AppName::parse("shop").unwrap()), ..by(&[Dimension::Outcome]) },
        &[("ok", 2, 0, 301), ("trap", 1, 0, 20), ("quota", 0, 5, 0), ("shed", 0, 6, 0), ("host-error", 1, 0, 4_000)],
    );
    check(Query { since: minute(1), until: minute(3), ..by(&[]) }, &[("", 3, 6, 54_300)]);
    check(Query { revision: Some(Digest::of(b"shop")), ..by(&[]) }, &[("", 4, 0, 4_321)]);
    check(Query { outcome: Some(Outcome::Shed), ..by(&[Dimension::App]) }, &[("shop", 0, 6, 0)]);
    check(Query { tenant: Some(TenantId::parse("other").unwrap()), ..by(&[]) }, &[]);
}

#[test]
fn memory_time_is_exact_beyond_64_bits() {
    let data = tempfile::tempdir().unwrap();
    let _ledger = filled(data.path());
    let sums = LedgerReader::open(data.path()).unwrap().sums(&Query::default()).unwrap()[0].sums;
    let of = |case: &Case| u128::from((1_u64 << 44).saturating_mul(2 * case.executed_us));
    let expected: u128 = CASES.iter().map(of).sum();
    assert!(expected > u128::from(u64::MAX));
    assert_eq!(sums.memory_time_byte_us, expected);
}

#[test]
fn executed_time_counts_for_budgets_when_it_is_billed() {
    let data = tempfile::tempdir().unwrap();
    let ledger = filled(data.path());
    // In a later hour than the others; the hour is drained in two parts.
    append(&ledger, &case("shop", 60, Outcome::Ok, 3_000_000));
    ledger.drain(START_US, &[]).unwrap();
    append(&ledger, &case("shop", 60, Outcome::Trap, 4_000_000));
    append(&ledger, &case("shop", 60, Outcome::InstanceLost, 1));
    ledger.drain(START_US, &[]).unwrap();
    let reader = LedgerReader::open(data.path()).unwrap();
    let check = |app: Option<&str>, since: u64, expected: u64| {
        let (tenant, app) = (TenantId::parse("acme").unwrap(), app.map(|app| AppName::parse(app).unwrap()));
        let found = reader.executed_since(&tenant, app.as_ref(), minute(since)).unwrap();
        assert_eq!(found, expected, "{app:?} since {since}");
    };
    check(Some("shop"), 0, 7_000_321);
    check(Some("shop"), 1, 7_000_300);
    check(Some("shop"), 3, 7_000_000);
    check(Some("blog"), 0, 650_000);
    check(None, 0, 7_650_321);
    check(None, 3, 7_600_000);
    check(None, 59, 7_000_000);
    check(None, 60, 7_000_000);
    check(None, 61, 0);
    check(Some("other"), 0, 0);
}

#[test]
fn a_reader_sees_what_was_drained_beside_the_node_and_after_it() {
    let data = tempfile::tempdir().unwrap();
    let ledger = filled(data.path());
    let beside = LedgerReader::open(data.path()).unwrap();
    let count = |reader: &LedgerReader| reader.records().unwrap().map(Result::unwrap).count();
    append(&ledger, &CASES[0]);
    assert_eq!((count(&beside), beside.drained_us().unwrap()), (6, START_US + 1));
    // It began before the drain, and ends with what was there then.
    let begun = beside.records().unwrap();
    ledger.drain(START_US + 2, &[]).unwrap();
    assert_eq!(begun.count(), 6);
    assert_eq!((count(&beside), beside.drained_us().unwrap()), (7, START_US + 2));
    drop((ledger, beside));
    assert_eq!(count(&LedgerReader::open(data.path()).unwrap()), 7);
}

#[test]
fn a_record_comes_back_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let about = subject("acme", "shop");
    let id = ledger.subject(&about).unwrap();
    let entry = Generator::new(9, vec![id], 0).entry();
    ledger.reserve().unwrap().append(&entry);
    ledger.drain(START_US, &[]).unwrap();
    let reader = LedgerReader::open(data.path()).unwrap();
    let (_, record) = reader.records().unwrap().next().unwrap().unwrap();
    assert_eq!(*record.subject, about);
    assert_eq!((record.id, record.started_us, record.outcome), (entry.id, entry.started_us, entry.outcome));
    assert_eq!(record.usage, entry.usage);
}

#[test]
fn old_segments_are_removed_and_their_sums_stay() {
    let data = tempfile::tempdir().unwrap();
    let limits = LedgerLimits { records_bytes_max: 4 * 128 * 60, ..SMALL };
    let ledger = Ledger::open(data.path(), limits).unwrap();
    for round in 0..200 {
        (0..10).for_each(|number| append(&ledger, &case("shop", 0, Outcome::Ok, round * 10 + number)));
        ledger.drain(START_US, &[]).unwrap();
    }
    let bytes: u64 = segments::list(&data.path().join("ledger/records")).unwrap().iter().map(|(_, bytes)| bytes).sum();
    assert!((1..=limits.records_bytes_max).contains(&bytes), "{bytes}");
    let reader = LedgerReader::open(data.path()).unwrap();
    let kept: Vec<u64> = reader.records().unwrap().map(|record| record.unwrap().1.id.0).collect();
    assert_eq!((kept.len() as u64, *kept.last().unwrap()), (2_000 - kept[0], 1_999), "the newest, without a gap");
    assert_eq!(reader.sums(&Query::default()).unwrap()[0].sums.invocations, 2_000);
}

#[test]
fn a_subject_keeps_its_number() {
    let data = tempfile::tempdir().unwrap();
    let subjects: Vec<UsageSubject> = ["a", "b", "c"].iter().map(|app| subject("acme", app)).collect();
    let first = Ledger::open(data.path(), SMALL).unwrap().subjects(&subjects).unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    assert_eq!(ledger.subject(&subjects[1]).unwrap(), first[1]);
    assert_eq!(ledger.subjects(&[subject("acme", "d"), subjects[2].clone()]).unwrap()[1], first[2]);
    let other_node = UsageSubject { node: NodeName::parse("n2").unwrap(), ..subjects[0].clone() };
    assert!(!first.contains(&ledger.subject(&other_node).unwrap()));
}

#[test]
fn the_ring_gets_another_size_once_it_is_empty() {
    let data = tempfile::tempdir().unwrap();
    let ledger = filled(data.path());
    append(&ledger, &CASES[0]);
    drop(ledger);
    let larger = LedgerLimits { places: 100, ..SMALL };
    let ledger = Ledger::open(data.path(), larger).unwrap();
    assert_eq!(ledger.free_places(), 8 * 64 - 1, "a record is still in it");
    ledger.drain(START_US, &[]).unwrap();
    drop(ledger);
    let ledger = Ledger::open(data.path(), larger).unwrap();
    assert_eq!(ledger.free_places(), 8 * 100);
    append(&ledger, &CASES[1]);
    ledger.drain(START_US, &[]).unwrap();
    assert_eq!(LedgerReader::open(data.path()).unwrap().records().unwrap().map(Result::unwrap).count(), 8);
}
