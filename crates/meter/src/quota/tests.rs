//! Each limit by itself, and a seeded simulation of invocations, clocks and restarts.

mod simulation;

use super::*;
use std::time::Duration;

/// The start of a day, and so of a minute.
const START_US: u64 = 20_000 * DAY_US;
const MILLI: u64 = 1_000_000;
const ASK: Ask = Ask { cpu_nanos_max: 10_000 * MILLI, overrun_nanos: MILLI, memory_bytes: 128 << 20 };

fn gate(quota: Quota) -> Arc<QuotaGate> {
    quota.check().unwrap();
    QuotaGate::new(&quota, Spent::default()).unwrap()
}

fn per_minute(millis: u64) -> Quota {
    Quota { cpu_per_minute: Some(Duration::from_millis(millis)), ..Quota::default() }
}

fn refused(gate: &Arc<QuotaGate>, now_us: u64) -> (&'static str, u64) {
    let over = gate.try_enter(now_us, ASK).unwrap_err();
    (over.limit.label(), over.retry_after_us)
}

/// Lets invocations in one after another, each of which uses all that it may, until one is refused; returns what they
/// used.
fn use_up(gate: &Arc<QuotaGate>, now_us: u64) -> u64 {
    let mut used = 0;
    while let Ok(reservation) = gate.try_enter(now_us, ASK) {
        let nanos = reservation.cpu_nanos_max() + ASK.overrun_nanos;
        reservation.settle(now_us, nanos);
        used += nanos;
    }
    used
}

#[test]
fn without_limits_there_is_no_gate() {
    let loaded_only = Quota { loaded: Some(cumulet_spec::quantity::Bytes::mib(1)), ..Quota::default() };
    assert!(QuotaGate::new(&Quota::default(), Spent::default()).is_none());
    assert!(QuotaGate::new(&loaded_only, Spent::default()).is_none());
    let passage = QuotaGates::default().try_enter(START_US, ASK).unwrap();
    assert_eq!(passage.cpu_nanos_max(), ASK.cpu_nanos_max);
}

#[test]
fn requests_per_second() {
    let gate = gate(Quota { requests_per_second: Some(2), ..Quota::default() });
    for _ in 0..2 {
        gate.try_enter(START_US, ASK).unwrap().settle(START_US, 0);
    }
    assert_eq!(refused(&gate, START_US), ("requests_per_second", 500_000));
    assert!(gate.try_enter(START_US + 500_000, ASK).is_ok());
}

#[test]
fn concurrency_and_memory() {
    let two = gate(Quota { concurrency: Some(2), ..Quota::default() });
    let both = [two.try_enter(START_US, ASK).unwrap(), two.try_enter(START_US, ASK).unwrap()];
    assert_eq!(refused(&two, START_US).0, "concurrency");
    drop(both);
    assert!(two.try_enter(START_US, ASK).is_ok());

    let memory = Some(cumulet_spec::quantity::Bytes::mib(200));
    let one = gate(Quota { memory, ..Quota::default() });
    let first = one.try_enter(START_US, ASK).unwrap();
    assert_eq!(refused(&one, START_US).0, "memory");
    first.settle(START_US, 5);
    assert!(one.try_enter(START_US, ASK).is_ok());
}

#[test]
fn a_minute_is_used_to_its_end_and_no_further() {
    for millis in [10, 50, 1_000, 60_000] {
        let gate = gate(per_minute(millis));
        for minute in 0..3 {
            let now_us = START_US + minute * MINUTE_US + 20_000_000;
            let used = use_up(&gate, now_us);
            let limit = millis * MILLI;
            assert!(used <= limit, "{used} of {limit}");
            assert!(limit - used < GRANT_NANOS_MIN + ASK.overrun_nanos, "{used} of {limit} before it was refused");
            assert_eq!(refused(&gate, now_us), ("cpu_per_minute", 40_000_000));
        }
    }
}

#[test]
fn a_day_stops_an_app_until_the_next() {
    let day = |millis| Quota { cpu_per_day: Some(Duration::from_millis(millis)), ..per_minute(400) };
    let gate = gate(day(1_000));
    let used: u64 = (0..5).map(|minute| use_up(&gate, START_US + minute * MINUTE_US)).sum();
    assert!((997 * MILLI..=1_000 * MILLI).contains(&used), "{used}");
    assert_eq!(refused(&gate, START_US + 5 * MINUTE_US), ("cpu_per_day", DAY_US - 5 * MINUTE_US));
    assert!(gate.try_enter(START_US + DAY_US, ASK).is_ok());
}

#[test]
fn one_invocation_does_not_hold_all_that_is_left() {
    let gate = gate(per_minute(60_000));
    let inside: Vec<_> = std::iter::from_fn(|| gate.try_enter(START_US, ASK).ok()).collect();
    assert!(inside.len() >= 100, "{}", inside.len());
    assert!(inside.iter().all(|reservation| reservation.cpu_nanos_max() >= GRANT_NANOS_MIN));
    assert_eq!(refused(&gate, START_US), ("cpu_per_minute", HELD_RETRY_US), "they may give it back");
    inside.into_iter().for_each(|reservation| reservation.settle(START_US, 0));
    assert_eq!(gate.spent(START_US), Spent { as_of_us: START_US, minute_nanos: 0, day_nanos: 0 });
}

#[test]
fn an_invocation_that_needs_more_asks_for_it() {
    let gate = gate(per_minute(1_000));
    let mut reservation = gate.try_enter(START_US, ASK).unwrap();
    let mut granted = reservation.cpu_nanos_max();
    assert!(granted < 100 * MILLI);
    loop {
        let more = reservation.extend(START_US, ASK.cpu_nanos_max);
        if more == 0 {
            break;
        }
        granted += more;
    }
    assert_eq!(granted, 1_000 * MILLI - ASK.overrun_nanos);
    assert_eq!(reservation.cpu_nanos_max(), granted);
    let next_us = START_US + MINUTE_US;
    let more = reservation.extend(next_us, 5 * MILLI);
    assert_eq!((more, gate.spent(next_us).minute_nanos), (5 * MILLI, 5 * MILLI), "the next minute pays for it");
    reservation.settle(next_us, granted + 2 * MILLI);
    assert_eq!(gate.spent(next_us).minute_nanos, MILLI, "the overrun of the first minute was paid there");
}

#[test]
fn what_is_dropped_counts_as_used() {
    let gate = gate(per_minute(1_000));
    let reservation = gate.try_enter(START_US, ASK).unwrap();
    let nanos = reservation.cpu_nanos_max() + ASK.overrun_nanos;
    drop(reservation);
    assert_eq!(gate.spent(START_US).minute_nanos, nanos);
    assert_eq!(gate.state.lock().inside, 0);
}

#[test]
fn a_clock_that_is_set_back_stays_in_its_window() {
    let gate = gate(per_minute(100));
    let used = use_up(&gate, START_US);
    assert_eq!(refused(&gate, START_US - MINUTE_US), ("cpu_per_minute", 2 * MINUTE_US));
    assert_eq!(gate.spent(START_US - DAY_US).minute_nanos, used);
}

#[test]
fn what_the_second_quota_refuses_leaves_no_trace_in_the_first() {
    let app = gate(Quota { requests_per_second: Some(1), concurrency: Some(1), ..per_minute(1_000) });
    let tenant = gate(Quota { concurrency: Some(1), ..per_minute(500) });
    let gates = QuotaGates { app: Some(Arc::clone(&app)), tenant: Some(Arc::clone(&tenant)) };
    let other = tenant.try_enter(START_US, ASK).unwrap();
    let over = gates.try_enter(START_US, ASK).unwrap_err();
    assert_eq!((over.limit, Outcome::from(over)), (QuotaLimit::Concurrency, Outcome::Concurrency));
    assert_eq!(app.spent(START_US).minute_nanos, 0);
    other.settle(START_US, 0);

    let mut passage = gates.try_enter(START_US, ASK).unwrap();
    let reserved = passage.cpu_nanos_max() + ASK.overrun_nanos;
    assert_eq!(app.spent(START_US), tenant.spent(START_US), "both reserve what the tighter of them gives");
    assert_eq!(app.spent(START_US).minute_nanos, reserved);
    let more = passage.extend(START_US, ASK.cpu_nanos_max);
    assert_eq!(app.spent(START_US).minute_nanos, reserved + more);
    passage.cancel(START_US);
    assert!(gates.try_enter(START_US, ASK).is_ok(), "the request was given back as well");
}

#[test]
fn threads_do_not_pass_a_limit_together() {
    let gate = gate(Quota { concurrency: Some(3), ..per_minute(500) });
    let used = std::sync::atomic::AtomicU64::new(0);
    let enter_often = || {
        for number in 0..5_000 {
            let Ok(reservation) = gate.try_enter(START_US, ASK) else { continue };
            assert!(gate.state.lock().inside <= 3);
            let nanos = reservation.cpu_nanos_max().min(number % 200_000);
            used.fetch_add(nanos, std::sync::atomic::Ordering::Relaxed);
            reservation.settle(START_US, nanos);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(enter_often);
        }
    });
    let state = gate.state.lock();
    assert_eq!((state.inside, state.memory_bytes), (0, 0));
    assert_eq!(state.minute.as_ref().unwrap().booked_nanos(), used.into_inner());
}
