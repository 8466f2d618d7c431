//! The clock of the harness.

use std::time::Instant;

/// The present moment of the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time, and this is the one place that reads it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
