//! What one invocation holds of a quota.

use super::window::Hold;
use super::{Ask, QuotaGate, State};
use std::sync::Arc;

/// What one invocation has reserved of a quota. Settled once, with what it used.
///
/// Dropped without that, it counts as fully used: nobody has said what was, and a budget must not be passed. Its place
/// and its memory are given back in any case.
#[derive(Debug)]
#[must_use = "a reservation is settled with what was used"]
pub struct Reservation {
    gate: Arc<QuotaGate>,
    /// What the invocation may use, and what it may pass that by.
    cpu_nanos_max: u64,
    overrun_nanos: u64,
    memory_bytes: u64,
    minute: Hold,
    day: Hold,
    /// What was used and when that was known; all of it until somebody says.
    used: Option<Used>,
}

#[derive(Clone, Copy, Debug)]
struct Used {
    now_us: u64,
    executed_nanos: u64,
}

impl Reservation {
    /// A reservation of a place and memory in `gate`; executed time comes with [`Reservation::reserve`].
    pub(super) fn new(gate: &Arc<QuotaGate>, cpu_nanos_max: u64, ask: Ask) -> Self {
        Self {
            gate: Arc::clone(gate),
            cpu_nanos_max,
            overrun_nanos: ask.overrun_nanos,
            memory_bytes: ask.memory_bytes,
            minute: Hold::default(),
            day: Hold::default(),
            used: None,
        }
    }

    /// Reserves executed time in the windows of `state`, which is its gate's.
    pub(super) fn reserve(&mut self, state: &mut State, nanos: u64) {
        if let Some(minute) = &mut state.minute {
            minute.reserve(&mut self.minute, nanos);
        }
        if let Some(day) = &mut state.day {
            day.reserve(&mut self.day, nanos);
        }
    }

    /// Executed time that the invocation may use, in nanoseconds: its own limit, or less where the quota leaves less.
    #[must_use]
    pub fn cpu_nanos_max(&self) -> u64 {
        self.cpu_nanos_max
    }

    /// Asks for up to `nanos` more executed time, and returns how much of it was given. Whoever runs an invocation whose
    /// limit the quota has lowered asks for the next piece before that limit is reached. It is of the windows of
    /// `now_us`, also when they have turned since the invocation was let in.
    pub fn extend(&mut self, now_us: u64, nanos: u64) -> u64 {
        let gate = Arc::clone(&self.gate);
        let mut state = gate.state.lock();
        state.turn(now_us);
        let granted = state.grant(Ask { cpu_nanos_max: nanos, overrun_nanos: 0, memory_bytes: 0 });
        self.reserve(&mut state, granted);
        self.cpu_nanos_max = self.cpu_nanos_max.saturating_add(granted);
        granted
    }

    /// Ends the invocation, which used this much executed time, in nanoseconds.
    pub fn settle(mut self, now_us: u64, executed_nanos: u64) {
        self.used = Some(Used { now_us, executed_nanos });
    }

    /// Ends what has not begun: everything is given back, the request too.
    pub fn cancel(self, now_us: u64) {
        if let Some(bucket) = &mut self.gate.state.lock().bucket {
            bucket.give_back();
        }
        self.settle(now_us, 0);
    }

    /// Lowers what the invocation may use to `cpu_nanos_max`.
    pub(super) fn lower(&mut self, cpu_nanos_max: u64) {
        let nanos = self.cpu_nanos_max.saturating_sub(cpu_nanos_max);
        if nanos == 0 {
            return;
        }
        let mut state = self.gate.state.lock();
        if let Some(minute) = &mut state.minute {
            minute.shrink(&mut self.minute, nanos);
        }
        if let Some(day) = &mut state.day {
            day.shrink(&mut self.day, nanos);
        }
        self.cpu_nanos_max -= nanos;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        state.inside = state.inside.saturating_sub(1);
        state.memory_bytes = state.memory_bytes.saturating_sub(self.memory_bytes);
        let reserved_nanos = self.cpu_nanos_max.saturating_add(self.overrun_nanos);
        let mut executed_nanos = reserved_nanos;
        if let Some(used) = self.used {
            state.turn(used.now_us);
            executed_nanos = used.executed_nanos;
        }
        let State { minute, day, .. } = &mut *state;
        for (window, hold) in [(minute, &self.minute), (day, &self.day)] {
            if let Some(window) = window {
                window.settle(hold, reserved_nanos, executed_nanos);
            }
        }
    }
}
