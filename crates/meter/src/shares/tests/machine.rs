//! A machine in simulated time: threads that take guests from [`Shares`], and guests that spin or sleep.

use crate::shares::{Shares, Turn};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::RangeInclusive;

/// The longest slice.
pub(super) const SLICE_NANOS: u64 = 1_000_000;

/// What runs.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    turn: Turn,
    /// Executed time of one slice.
    work_nanos: RangeInclusive<u64>,
    /// How long it sleeps after a slice; a spinner does not.
    sleep_nanos: Option<RangeInclusive<u64>>,
    woken_at: u64,
}

impl Guest {
    /// A guest that never waits for anything, with slices of half of `most` to `most`.
    pub(super) fn spinner(turn: Turn, most: u64) -> Self {
        Self { turn, work_nanos: most / 2..=most, sleep_nanos: None, woken_at: 0 }
    }

    /// A guest that sleeps after every slice.
    pub(super) fn sleeper(turn: Turn, work_nanos: RangeInclusive<u64>, sleep_nanos: RangeInclusive<u64>) -> Self {
        Self { turn, work_nanos, sleep_nanos: Some(sleep_nanos), woken_at: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A slice of this length ends.
    End(usize, u64),
    /// A guest wakes.
    Wake(usize),
}

/// Threads, guests, and what they used.
pub(super) struct Machine {
    shares: Shares<usize>,
    guests: Vec<Guest>,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    idle_threads: usize,
    now: u64,
    random: StdRng,
    /// Executed time by tenant.
    pub(super) used: HashMap<u64, u64>,
    /// Slices by tenant.
    pub(super) started: HashMap<u64, u64>,
    /// The longest time from waking to running, by tenant.
    pub(super) waited: HashMap<u64, u64>,
}

impl Machine {
    pub(super) fn new(threads: usize, seed: u64) -> Self {
        Self {
            shares: Shares::default(),
            guests: Vec::new(),
            events: BinaryHeap::new(),
            idle_threads: threads,
            now: 0,
            random: StdRng::seed_from_u64(seed),
            used: HashMap::new(),
            started: HashMap::new(),
            waited: HashMap::new(),
        }
    }

    /// Adds a guest, which wakes now.
    pub(super) fn add(&mut self, guest: Guest) {
        self.guests.push(guest);
        self.wake(self.guests.len() - 1);
    }

    /// Goes on until this many slices have ended.
    pub(super) fn run_slices(&mut self, slices: usize) {
        let mut ended = 0;
        while ended < slices {
            self.dispatch();
            let Some(Reverse((at, event))) = self.events.pop() else { return };
            self.now = at;
            match event {
                Event::Wake(guest) => self.wake(guest),
                Event::End(guest, nanos) => {
                    ended += 1;
                    self.end(guest, nanos);
                }
            }
        }
    }

    fn wake(&mut self, number: usize) {
        let guest = &mut self.guests[number];
        guest.woken_at = self.now;
        self.shares.push(guest.turn, number).unwrap();
    }

    fn end(&mut self, number: usize, nanos: u64) {
        let Guest { turn, sleep_nanos, .. } = self.guests[number].clone();
        self.idle_threads += 1;
        *self.used.entry(turn.tenant).or_default() += nanos;
        self.shares.charge(turn, nanos);
        match sleep_nanos {
            None => self.wake(number),
            Some(range) => {
                let at = self.now + self.random.random_range(range);
                self.events.push(Reverse((at, Event::Wake(number))));
            }
        }
    }

    fn dispatch(&mut self) {
        while self.idle_threads > 0 {
            let Some((turn, number)) = self.shares.pop() else { return };
            let guest = &self.guests[number];
            let nanos = self.random.random_range(guest.work_nanos.clone());
            let waited = self.waited.entry(turn.tenant).or_default();
            *waited = (*waited).max(self.now - guest.woken_at);
            *self.started.entry(turn.tenant).or_default() += 1;
            self.idle_threads -= 1;
            self.events.push(Reverse((self.now + nanos, Event::End(number, nanos))));
        }
    }
}
