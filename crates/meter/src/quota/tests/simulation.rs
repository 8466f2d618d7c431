//! A tenant with three apps: random quotas, invocations, clocks and restarts, beside a ledger that is kept apart.

use super::*;
use cumulet_spec::quantity::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::HashMap;

const SEEDS: u64 = 150;
const STEPS: usize = 1_500;
const APPS: usize = 3;
/// The tenant's place beside its apps.
const TENANT: usize = APPS;

/// An invocation that runs.
struct Running {
    app: usize,
    passage: Passage,
    memory_bytes: u64,
    /// What it was granted, with when: what it uses is used in this order.
    pieces: Vec<(u64, u64)>,
}

/// Executed time by whose it is and in which window it was reserved, from what settled invocations said.
#[derive(Default)]
struct Ledger {
    minutes: HashMap<(usize, u64), u64>,
    days: HashMap<(usize, u64), u64>,
}

impl Ledger {
    fn book(&mut self, running: &Running, mut executed_nanos: u64) {
        for (at_us, granted) in &running.pieces {
            let nanos = executed_nanos.min(*granted);
            executed_nanos -= nanos;
            for who in [running.app, TENANT] {
                *self.minutes.entry((who, at_us / MINUTE_US)).or_default() += nanos;
                *self.days.entry((who, at_us / DAY_US)).or_default() += nanos;
            }
        }
        assert_eq!(executed_nanos, 0);
    }

    fn spent(&self, who: usize, now_us: u64) -> Spent {
        let of = |windows: &HashMap<_, _>, length_us| windows.get(&(who, now_us / length_us)).copied().unwrap_or(0);
        Spent { as_of_us: now_us, minute_nanos: of(&self.minutes, MINUTE_US), day_nanos: of(&self.days, DAY_US) }
    }
}

struct Simulation {
    random: StdRng,
    quotas: Vec<Quota>,
    gates: Vec<Option<Arc<QuotaGate>>>,
    running: Vec<Running>,
    ledger: Ledger,
    now_us: u64,
    admitted: u64,
}

fn quota(random: &mut StdRng) -> Quota {
    let mut some = |range: std::ops::RangeInclusive<u32>| random.random_bool(0.6).then(|| random.random_range(range));
    let millis = |millis: u32| Duration::from_millis(millis.into());
    let minute = some(10..=3_000).map(millis);
    Quota {
        requests_per_second: some(1..=50),
        concurrency: some(1..=20),
        cpu_per_minute: minute,
        cpu_per_day: some(10..=20_000).map(millis).map(|day| day.max(minute.unwrap_or_default())),
        memory: some(64..=2_000).map(|mib| Bytes::mib(mib.into())),
        loaded: None,
    }
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let quotas: Vec<_> = (0..=APPS).map(|_| quota(&mut random)).collect();
        let now_us = START_US + random.random_range(0..DAY_US);
        let mut simulation = Self {
            random,
            quotas,
            gates: Vec::new(),
            running: Vec::new(),
            ledger: Ledger::default(),
            now_us,
            admitted: 0,
        };
        simulation.start();
        simulation
    }

    /// Gates with what the ledger knows, as a node makes them when it starts.
    fn start(&mut self) {
        let gate = |(who, quota)| QuotaGate::new(quota, self.ledger.spent(who, self.now_us));
        self.gates = self.quotas.iter().enumerate().map(gate).collect();
    }

    fn enter(&mut self) {
        let app = self.random.random_range(0..APPS);
        let ask = Ask {
            cpu_nanos_max: self.random.random_range(1..=20_000) * MILLI,
            overrun_nanos: self.random.random_range(0..=2 * MILLI),
            memory_bytes: self.random.random_range(1..=256) << 20,
        };
        let gates = QuotaGates { app: self.gates[app].clone(), tenant: self.gates[TENANT].clone() };
        match gates.try_enter(self.now_us, ask) {
            Err(over) => assert!(over.retry_after_us > 0),
            Ok(passage) => {
                assert!(passage.cpu_nanos_max() <= ask.cpu_nanos_max);
                let pieces = vec![(self.now_us, passage.cpu_nanos_max() + ask.overrun_nanos)];
                self.admitted += 1;
                self.running.push(Running { app, passage, memory_bytes: ask.memory_bytes, pieces });
            }
        }
    }

    fn extend(&mut self) {
        let place = self.random.random_range(0..self.running.len());
        let nanos = self.random.random_range(1..=1_000) * MILLI;
        let running = &mut self.running[place];
        let granted = running.passage.extend(self.now_us, nanos);
        running.pieces.push((self.now_us, granted));
    }

    fn end(&mut self) {
        let place = self.random.random_range(0..self.running.len());
        let running = self.running.swap_remove(place);
        let reserved: u64 = running.pieces.iter().map(|(_, granted)| granted).sum();
        let executed_nanos = match self.random.random_range(0..3) {
            0 => reserved,
            1 => self.random.random_range(0..=reserved),
            _ => self.random.random_range(0..=reserved.min(MILLI)),
        };
        self.ledger.book(&running, executed_nanos);
        running.passage.settle(self.now_us, executed_nanos);
    }

    fn step(&mut self) {
        self.now_us += match self.random.random_range(0..100) {
            0 => self.random.random_range(0..MINUTE_US),
            1 => self.random.random_range(0..DAY_US / 10),
            _ => self.random.random_range(0..100_000),
        };
        match self.random.random_range(0..100) {
            0 => {
                // Killed: nobody ever says what was running then.
                self.running.clear();
                self.start();
            }
            1..50 => self.enter(),
            50..60 if !self.running.is_empty() => self.extend(),
            60.. if !self.running.is_empty() => self.end(),
            _ => {}
        }
    }

    fn check(&self) {
        for (who, quota) in self.quotas.iter().enumerate() {
            let of = |running: &&Running| who == TENANT || running.app == who;
            let inside = self.running.iter().filter(of).count();
            let memory: u64 = self.running.iter().filter(of).map(|running| running.memory_bytes).sum();
            assert!(quota.concurrency.is_none_or(|limit| inside <= limit as usize));
            assert!(quota.memory.is_none_or(|limit| memory <= limit.0));
            let Spent { minute_nanos, day_nanos, .. } = self.ledger.spent(who, self.now_us);
            assert!(quota.cpu_per_minute.is_none_or(|limit| u128::from(minute_nanos) <= limit.as_nanos()));
            assert!(quota.cpu_per_day.is_none_or(|limit| u128::from(day_nanos) <= limit.as_nanos()));
        }
    }

    /// When all have ended, each gate has booked what the ledger has, and holds nothing.
    fn check_conserved(&mut self) {
        while !self.running.is_empty() {
            self.end();
        }
        for (who, gate) in self.gates.iter().enumerate() {
            let Some(gate) = gate else { continue };
            let expect = self.ledger.spent(who, self.now_us);
            let found = gate.spent(self.now_us);
            let quota = &self.quotas[who];
            assert!(
                quota.cpu_per_minute.is_none() || found.minute_nanos == expect.minute_nanos,
                "{found:?} {expect:?}"
            );
            assert!(quota.cpu_per_day.is_none() || found.day_nanos == expect.day_nanos, "{found:?} {expect:?}");
            let state = gate.state.lock();
            assert_eq!((state.inside, state.memory_bytes), (0, 0));
        }
    }
}

#[test]
fn no_limit_is_passed_and_everything_is_given_back() {
    let mut admitted = 0;
    for seed in 0..SEEDS {
        // The harness prints what a failing test has written.
        println!("seed {seed}");
        let mut simulation = Simulation::new(seed);
        for _ in 0..STEPS {
            simulation.step();
            simulation.check();
        }
        simulation.check_conserved();
        admitted += simulation.admitted;
    }
    assert!(admitted > SEEDS * 20, "{admitted}");
}
