//! What first requests cost: how often apps were loaded, and how long each step took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A step of loading an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Which app it is, and what was deployed.
    Lookup,
    /// Finding the compiled file, and knowing it for ours.
    Verify,
    /// Mapping it.
    Map,
    /// Grants, quotas and linking.
    Link,
    /// Compiling anew what is not there or not to be trusted.
    Compile,
}

impl Phase {
    pub(crate) const ALL: [Self; 5] = [Self::Lookup, Self::Verify, Self::Map, Self::Link, Self::Compile];

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Verify => "verify",
            Self::Map => "map",
            Self::Link => "link",
            Self::Compile => "compile",
        }
    }
}

/// Sums over all apps that were loaded.
#[derive(Debug, Default)]
pub(crate) struct ColdStarts {
    count: AtomicU64,
    failed: AtomicU64,
    nanos: [AtomicU64; Phase::ALL.len()],
}

impl ColdStarts {
    pub(crate) fn loaded(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the time that a step took.
    pub(crate) fn add(&self, phase: Phase, took: Duration) {
        if let Some(nanos) = self.nanos.get(phase as usize) {
            nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Apps that were loaded, and those that could not be.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// The time that a step has taken so far, in nanoseconds.
    pub(crate) fn nanos(&self, phase: Phase) -> u64 {
        self.nanos.get(phase as usize).map_or(0, |nanos| nanos.load(Ordering::Relaxed))
    }
}
