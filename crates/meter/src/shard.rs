//! Spreads counters so that two cores seldom write the same cache line.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many copies of a counter there are.
pub(crate) const SHARDS: usize = 8;

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHARD: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
}

/// The shard of the calling thread, below [`SHARDS`].
pub(crate) fn shard() -> usize {
    SHARD.with(|shard| *shard)
}
