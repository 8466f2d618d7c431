//! What one component may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::quantity::{Bytes, duration_text};

/// The limits of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// All linear memories and tables of an instance together; from [`Limits::MEMORY_MIN`] to
    /// [`Limits::MEMORY_MAX`] in a manifest.
    pub memory: Bytes,
    /// Executed time per invocation.
    #[serde(with = "duration_text")]
    pub cpu: Duration,
    /// Time from admission to the end of the response body; waiting in the queue is not counted.
    #[serde(with = "duration_text")]
    pub time: Duration,
    /// Invocations that run at once.
    pub concurrency: u32,
}

impl Limits {
    /// The least memory: one page of a linear memory.
    pub const MEMORY_MIN: Bytes = Bytes::kib(64);
    /// The most memory that a component can be given.
    pub const MEMORY_MAX: Bytes = Bytes::gib(64);
    /// The longest executed time and the longest wall clock: a day.
    pub const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);
    /// The most invocations of one component at once.
    pub const CONCURRENCY_MAX: u32 = 1_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: Bytes::mib(128), cpu: Duration::from_secs(10), time: Duration::from_secs(30), concurrency: 1000 }
    }
}
