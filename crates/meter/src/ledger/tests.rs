//! The ledger as a whole: on a real disk, with real threads, real kills, and kills at every step.

mod conservation;
mod damage;
mod disk;
mod kill;
mod reading;
mod steps;

use std::collections::BTreeMap;
use std::path::Path;

use cumulet_spec::grant::Capability;
use cumulet_spec::id::{AppName, ComponentName, Digest, InvocationId, NodeName, TenantId};
use cumulet_spec::invocation::Trigger;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::{Usage, UsageSubject};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;

/// 2023-11-14, at the begin of a minute.
const START_US: u64 = 1_699_999_980_000_000;

/// Small enough for the ring to come round, and for segments to be followed by others, within a test.
const SMALL: LedgerLimits = LedgerLimits { places: 64, segment_bytes_max: 128 * 50, records_bytes_max: u64::MAX };

fn subject(tenant: &str, app: &str) -> UsageSubject {
    UsageSubject {
        node: NodeName::local(),
        tenant: TenantId::parse(tenant).unwrap(),
        app: AppName::parse(app).unwrap(),
        component: ComponentName::parse("front").unwrap(),
        revision: Digest::of(app.as_bytes()),
        trigger: Trigger::Http,
    }
}

/// Makes entries from a seed. Their ids count up, so that each is told from every other.
struct Generator {
    random: StdRng,
    subjects: Vec<SubjectId>,
    id: u64,
}

impl Generator {
    fn new(seed: u64, subjects: Vec<SubjectId>, first_id: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), subjects, id: first_id }
    }

    fn entry(&mut self) -> Entry {
        let random = &mut self.random;
        let mut usage = Usage {
            wall_us: random.random_range(0..5_000_000),
            executed_us: random.random_range(0..1_000_000),
            memory_peak_bytes: random.random_range(0..4 << 30),
            bytes_in: random.random_range(0..10_000_000),
            bytes_out: random.random_range(0..10_000_000),
            shared: random.random(),
            ..Usage::default()
        };
        for _ in 0..random.random_range(0..4) {
            usage.host_calls.add(Capability::ALL[random.random_range(0..Capability::ALL.len())]);
        }
        self.id += 1;
        Entry {
            subject: self.subjects[random.random_range(0..self.subjects.len())],
            id: InvocationId(self.id),
            started_us: START_US + random.random_range(0..5 * 60_000_000),
            outcome: [Outcome::Ok, Outcome::Trap, Outcome::ClientGone, Outcome::HostError][random.random_range(0..4)],
            usage,
        }
    }
}

/// Reserves a place; waits for a drain when the ring is full.
fn place(ledger: &Ledger) -> Place {
    loop {
        match ledger.reserve() {
            Some(place) => return place,
            None => std::thread::yield_now(),
        }
    }
}

/// Everything that a ledger holds, after it was held against itself: no record stands there twice, and the sums are those
/// of the records.
fn audit(data: &Path) -> (BTreeMap<u64, Usage>, Sums) {
    let reader = LedgerReader::open(data).unwrap();
    let mut records = BTreeMap::new();
    let mut positions = std::collections::BTreeSet::new();
    let mut by_key: BTreeMap<(Minute, AppName, Outcome), Sums> = BTreeMap::new();
    let mut total = Sums::default();
    for record in reader.records().unwrap() {
        let (position, record) = record.unwrap();
        assert!(positions.insert(position), "{position:?} stands there twice");
        let key = (Minute::of_us(record.started_us), record.subject.app.clone(), record.outcome);
        by_key.entry(key).or_default().add(&record.usage);
        total.add(&record.usage);
        let twice = records.insert(record.id.0, record.usage);
        assert_eq!(twice, None, "invocation {} is there twice", record.id.0);
    }
    let by = vec![Dimension::Minute, Dimension::App, Dimension::Outcome];
    let rows = reader.sums(&Query { by, ..Query::default() }).unwrap();
    let rows = rows.into_iter().filter(|row| row.sums.invocations > 0);
    let summed: BTreeMap<_, _> =
        rows.map(|row| ((row.minute.unwrap(), row.app.unwrap(), row.outcome.unwrap()), row.sums)).collect();
    assert_eq!(summed, by_key, "the sums by minute, app and outcome are not those of the records");
    let whole = reader.sums(&Query::default()).unwrap().pop().unwrap_or_default().sums;
    assert_eq!(Sums { rejections: 0, ..whole }, total);
    (records, whole)
}
