//! The time that a statement has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Tells a running statement when to stop; shared with SQLite's progress handler.
#[derive(Debug, Default)]
pub(super) struct Watch {
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    deadline: Instant,
    stop: Stop,
}

impl Watch {
    /// From now until [`Watch::end`], a statement runs that has so much time.
    pub(super) fn begin(&self, time: Duration, stop: Stop) {
        *self.running.lock() = Some(Running { deadline: now() + time, stop });
    }

    /// The statement has ended; what runs now is our own and is not stopped.
    pub(super) fn end(&self) {
        *self.running.lock() = None;
    }

    /// Whether the running statement must stop.
    pub(super) fn must_stop(&self) -> bool {
        self.running.lock().as_ref().is_some_and(|running| running.stop.is_set() || now() >= running.deadline)
    }
}

/// Set when nobody waits for a statement any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Sets it when the guard goes away, which is when the future that holds the guard is dropped.
    pub(super) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
#[must_use]
pub(super) struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "SQLite asks on a thread of its own how long it has been running")]
fn now() -> Instant {
    Instant::now()
}
