//! Sums over invocations, by outcome.

use crate::shard::{SHARDS, shard};
use crossbeam_utils::CachePadded;
pub use cumulet_spec::api::LATENCY_BOUNDS_US;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::Usage;
use std::sync::atomic::{AtomicU64, Ordering};

const OUTCOMES: usize = Outcome::ALL.len();
const BUCKETS: usize = LATENCY_BOUNDS_US.len() + 1;

#[derive(Debug, Default)]
struct Sums {
    outcomes: [AtomicU64; OUTCOMES],
    latency: [AtomicU64; BUCKETS],
    wall_us: AtomicU64,
    executed_us: AtomicU64,
    memory_byte_ms: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

/// The running sums of one component. Adding takes no lock; reading sums the shards.
#[derive(Debug, Default)]
pub struct Tally {
    shards: [CachePadded<Sums>; SHARDS],
}

/// Sums that were read off a [`Tally`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Invocations and rejections, by the place of their outcome in [`Outcome::ALL`].
    pub outcomes: [u64; OUTCOMES],
    /// Admitted invocations by wall time: not cumulative, one more than [`LATENCY_BOUNDS_US`].
    pub latency: [u64; BUCKETS],
    /// Wall time, in microseconds.
    pub wall_us: u64,
    /// Executed time, in microseconds.
    pub executed_us: u64,
    /// Peak memory times wall time, in byte-milliseconds.
    pub memory_byte_ms: u64,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of response bodies.
    pub bytes_out: u64,
}

impl Tally {
    /// Adds one invocation that was admitted.
    pub fn settle(&self, outcome: Outcome, usage: &Usage) {
        let Some(sums) = self.shards.get(shard()) else { return };
        add_one(&sums.outcomes, outcome.index());
        add_one(&sums.latency, LATENCY_BOUNDS_US.partition_point(|bound| *bound < usage.wall_us));
        sums.wall_us.fetch_add(usage.wall_us, Ordering::Relaxed);
        sums.executed_us.fetch_add(usage.executed_us, Ordering::Relaxed);
        sums.memory_byte_ms.fetch_add(usage.memory_time_byte_us() / 1_000, Ordering::Relaxed);
        sums.bytes_in.fetch_add(usage.bytes_in, Ordering::Relaxed);
        sums.bytes_out.fetch_add(usage.bytes_out, Ordering::Relaxed);
    }

    /// Counts a request that was not admitted.
    pub fn reject(&self, outcome: Outcome) {
        if let Some(sums) = self.shards.get(shard()) {
            add_one(&sums.outcomes, outcome.index());
        }
    }

    /// Reads the sums. Invocations that settle meanwhile may be in some of them and not yet in others.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for sums in &self.shards {
            sum_into(&mut totals.outcomes, &sums.outcomes);
            sum_into(&mut totals.latency, &sums.latency);
            totals.wall_us += sums.wall_us.load(Ordering::Relaxed);
            totals.executed_us += sums.executed_us.load(Ordering::Relaxed);
            totals.memory_byte_ms += sums.memory_byte_ms.load(Ordering::Relaxed);
            totals.bytes_in += sums.bytes_in.load(Ordering::Relaxed);
            totals.bytes_out += sums.bytes_out.load(Ordering::Relaxed);
        }
        totals
    }
}

fn add_one(counters: &[AtomicU64], place: usize) {
    if let Some(counter) = counters.get(place) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn sum_into(totals: &mut [u64], counters: &[AtomicU64]) {
    for (total, counter) in totals.iter_mut().zip(counters) {
        *total += counter.load(Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_conserved_across_threads() {
        let tally = Tally::default();
        let settle_all = || {
            for wall_us in 0..1_000 {
                let usage = Usage { wall_us, executed_us: 2, bytes_out: 3, ..Usage::default() };
                tally.settle(Outcome::Ok, &usage);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(settle_all);
            }
        });
        let totals = tally.totals();
        assert_eq!(totals.outcomes[Outcome::Ok.index()], 4_000);
        assert_eq!(totals.latency.iter().sum::<u64>(), 4_000);
        assert_eq!(totals.executed_us, 8_000);
        assert_eq!(totals.wall_us, 4 * 999 * 500);
        assert_eq!(totals.latency[0], 4 * 51, "0 to 50 µs, the bound included");
    }
}
