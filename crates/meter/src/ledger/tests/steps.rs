//! The process ends at each step of a drain; the next one finds everything exactly once.

use super::super::drain::Step;
use super::*;

const STEPS: [Step; 6] = [Step::Collected, Step::Opened, Step::Written, Step::Synced, Step::Summed, Step::Committed];

fn append(ledger: &Ledger, generator: &mut Generator, count: usize) {
    for _ in 0..count {
        ledger.reserve().unwrap().append(&generator.entry());
    }
}

/// Ends a drain at `step`, after `drained` records were drained before it. `goes_on` says what happens then.
fn check(step: Step, drained: usize, goes_on: fn(Ledger, &Path) -> Ledger) {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let mut generator = Generator::new(7, vec![acme], 0);
    append(&ledger, &mut generator, drained);
    ledger.drain(START_US, &[]).unwrap();
    append(&ledger, &mut generator, 30);
    ledger.drain.lock().killed_at = Some(step);
    let error = ledger.drain(START_US, &[]).unwrap_err();
    assert!(matches!(error.kind, LedgerErrorKind::Killed(_)), "{error}");
    let ledger = goes_on(ledger, data.path());
    append(&ledger, &mut generator, 10);
    ledger.drain(START_US, &[]).unwrap();
    append(&ledger, &mut generator, 10);
    ledger.drain(START_US, &[]).unwrap();
    assert_eq!(audit(data.path()).0.len(), drained + 50, "{step:?} after {drained}");
    assert_eq!(ledger.free_places(), 8 * 64, "{step:?} after {drained}");
}

#[test]
fn a_process_that_ends_at_any_step_loses_nothing_and_counts_nothing_twice() {
    for step in STEPS {
        // None before it, in the middle of a segment, and at the begin of another.
        for drained in [0, 20, 60] {
            check(step, drained, |ledger, data| {
                drop(ledger);
                Ledger::open(data, SMALL).unwrap()
            });
        }
    }
}

#[test]
fn a_drain_that_fails_is_tried_again() {
    // After the commit there is nothing left that could fail.
    for step in STEPS.into_iter().filter(|step| *step != Step::Committed) {
        for drained in [0, 20, 60] {
            check(step, drained, |ledger, _| {
                ledger.drain.lock().killed_at = None;
                ledger
            });
        }
    }
}

/// The commit of the failed drain reaches the disk after all: the segment must hold what it says.
#[test]
fn a_drain_that_fails_takes_the_same_records_again() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let mut generator = Generator::new(7, vec![acme], 0);
    append(&ledger, &mut generator, 30);
    ledger.drain.lock().killed_at = Some(Step::Summed);
    ledger.drain(START_US, &[]).unwrap_err();
    let first = std::fs::read(super::super::segment::path(&data.path().join("ledger/records"), 1)).unwrap();
    append(&ledger, &mut generator, 10);
    ledger.drain(START_US, &[]).unwrap_err();
    let second = std::fs::read(super::super::segment::path(&data.path().join("ledger/records"), 1)).unwrap();
    assert_eq!(first, second);
    ledger.drain.lock().killed_at = None;
    assert_eq!(ledger.drain(START_US, &[]).unwrap().records, 40);
    assert_eq!(audit(data.path()).0.len(), 40);
}

#[test]
fn what_was_written_and_not_committed_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let mut generator = Generator::new(7, vec![acme], 0);
    append(&ledger, &mut generator, 5);
    ledger.drain(START_US, &[]).unwrap();
    append(&ledger, &mut generator, 3);
    ledger.drain.lock().killed_at = Some(Step::Synced);
    ledger.drain(START_US, &[]).unwrap_err();
    drop(ledger);
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    assert_eq!(ledger.recovered(), Recovered { records: 3, cut_bytes: 3 * 128 });
}
