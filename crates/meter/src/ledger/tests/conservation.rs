//! What goes in is what is there, whatever happens in between.

use rustix::time::{ClockId, clock_gettime};

use super::*;

/// Threads append while another drains; the ledger is closed and opened again; nothing is lost, nothing counted twice.
#[test]
fn the_sum_of_records_is_the_sum_over_invocations() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let data = tempfile::tempdir().unwrap();
    let mut expected: BTreeMap<u64, Usage> = BTreeMap::new();
    for round in 0..5_u64 {
        let ledger = Ledger::open(data.path(), SMALL).unwrap();
        let subjects: Vec<UsageSubject> = (0..20).map(|app| subject("acme", &format!("app-{app}"))).collect();
        let ids = ledger.subjects(&subjects).unwrap();
        let appended = append_in_threads(&ledger, seed ^ round, &ids, round);
        for entry in appended {
            expected.insert(entry.id.0, entry.usage);
        }
        // Every other time, what is left in the ring waits for the next one.
        if round % 2 == 0 {
            ledger.drain(START_US, &[]).unwrap();
        }
    }
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    ledger.drain(START_US, &[]).unwrap();
    assert_eq!(ledger.free_places(), 8 * 64);
    let (records, sums) = audit(data.path());
    assert_eq!(records, expected, "seed {seed}");
    assert_eq!(sums.invocations, 5 * 4 * 2_000);
}

/// Four threads append 2,000 records each while this one drains.
fn append_in_threads(ledger: &Ledger, seed: u64, subjects: &[SubjectId], round: u64) -> Vec<Entry> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let mut generator = Generator::new(seed + thread, subjects.to_vec(), (round * 4 + thread) << 32);
                scope.spawn(move || {
                    let append = || {
                        let entry = generator.entry();
                        place(ledger).append(&entry);
                        entry
                    };
                    std::iter::repeat_with(append).take(2_000).collect::<Vec<Entry>>()
                })
            })
            .collect();
        while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            ledger.drain(START_US, &[]).unwrap();
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn there_are_as_many_reservations_as_places() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let mut places: Vec<Place> = std::iter::from_fn(|| ledger.reserve()).collect();
    assert_eq!(places.len(), 8 * 64);
    drop(places.pop());
    assert_eq!(ledger.free_places(), 1, "a place that is dropped is given back");
    let mut generator = Generator::new(1, vec![acme], 0);
    for place in places.drain(..) {
        place.append(&generator.entry());
    }
    assert_eq!(ledger.free_places(), 1, "a record keeps its place until it is drained");
    assert_eq!(ledger.drain(START_US, &[]).unwrap(), Drained { records: 511, ..Drained::default() });
    assert_eq!(ledger.free_places(), 512);
    assert_eq!(audit(data.path()).0.len(), 511);
}

/// An invocation that lasts longer than the ring takes to come round.
#[test]
fn a_place_may_be_held_for_long() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let mut generator = Generator::new(1, vec![acme], 0);
    let early = ledger.reserve().unwrap();
    for _ in 0..2_000 {
        let Some(place) = ledger.reserve() else { panic!("the drain frees places") };
        place.append(&generator.entry());
        if ledger.free_places() < 8 {
            ledger.drain(START_US, &[]).unwrap();
        }
    }
    early.append(&generator.entry());
    ledger.drain(START_US, &[]).unwrap();
    assert_eq!(audit(data.path()).0.len(), 2_001);
}

#[test]
fn quantities_beyond_what_sums_hold_stop_at_the_largest_number() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let usage = Usage { wall_us: u64::MAX, executed_us: u64::MAX, bytes_in: 1, ..Usage::default() };
    let entry = Entry { subject: acme, id: InvocationId(1), started_us: u64::MAX, outcome: Outcome::Ok, usage };
    for _ in 0..3 {
        ledger.reserve().unwrap().append(&entry);
        ledger.drain(START_US, &[]).unwrap();
    }
    let sums = LedgerReader::open(data.path()).unwrap().sums(&Query::default()).unwrap()[0].sums;
    assert_eq!((sums.invocations, sums.bytes_in, sums.wall_us), (3, 3, i64::MAX as u64));
}

/// Not asserted: printed, for whoever wants to know on this machine and with this profile.
#[test]
fn what_an_append_takes_is_printed() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), LedgerLimits::default()).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    let entry = Generator::new(1, vec![acme], 0).entry();
    let now_ns = || {
        let now = clock_gettime(ClockId::Monotonic);
        now.tv_sec * 1_000_000_000 + now.tv_nsec
    };
    let (mut append_ns, mut drain_ns, mut records) = (0, 0, 0);
    for _ in 0..50 {
        let begin = now_ns();
        for place in std::iter::from_fn(|| ledger.reserve()).take(5_000) {
            place.append(&entry);
            records += 1;
        }
        let appended = now_ns();
        ledger.drain(START_US, &[]).unwrap();
        append_ns += appended - begin;
        drain_ns += now_ns() - appended;
    }
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    println!(
        "profile {profile}, one thread, {records} records: {} ns to reserve and append, {} ns to drain each",
        append_ns / records,
        drain_ns / records
    );
}
