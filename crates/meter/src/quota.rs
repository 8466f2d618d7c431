//! Admission of a tenant or an app against its quota. Time is an argument, in microseconds since the Unix epoch.
//!
//! Executed time is reserved before an invocation runs and what it did not use is given back, so that a budget is
//! reached and never passed. It belongs to the minute and the day in which it was reserved.

mod bucket;
mod passage;
mod reservation;
#[cfg(test)]
mod tests;
mod window;

use bucket::Bucket;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::quota::{Quota, QuotaLimit};
use parking_lot::Mutex;
use std::sync::Arc;
use window::{DAY_US, MINUTE_US, Short, Window};

pub use passage::{Passage, QuotaGates};
pub use reservation::Reservation;

/// One invocation reserves at most this part of what is left, so that it does not keep the others out.
const LEFT_PART: u64 = 16;
/// It may have this much executed time even if that is a larger part, in nanoseconds.
const GRANT_NANOS: u64 = 10_000_000;
/// With less than this left, an invocation that asks for more is not worth starting, in nanoseconds.
const GRANT_NANOS_MIN: u64 = 1_000_000;
/// When somebody who runs may give back what is missing, it is worth asking again after this long.
const HELD_RETRY_US: u64 = 1_000_000;

/// What an invocation may come to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its own limit of executed time, in nanoseconds.
    pub cpu_nanos_max: u64,
    /// By how much an invocation can pass the limit that it is given before it is ended: about a time slice. It is
    /// reserved as well, in nanoseconds.
    pub overrun_nanos: u64,
    /// Its memory limit, in bytes.
    pub memory_bytes: u64,
}

/// What was used in the windows that `as_of_us` lies in, by invocations that were admitted in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// When that was so, in microseconds since the Unix epoch.
    pub as_of_us: u64,
    /// Executed time of the minute, in nanoseconds.
    pub minute_nanos: u64,
    /// Executed time of the day, in nanoseconds.
    pub day_nanos: u64,
}

/// A limit does not let an invocation in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The limit; of several, the one that takes longest.
    pub limit: QuotaLimit,
    /// After how long it is worth asking again, in microseconds; at least one.
    pub retry_after_us: u64,
}

impl From<Over> for Outcome {
    fn from(over: Over) -> Self {
        if over.limit == QuotaLimit::Concurrency { Outcome::Concurrency } else { Outcome::Quota }
    }
}

/// The way past one quota.
///
/// Its lock is held for a few dozen instructions and never while another is taken: who shares it is one tenant.
#[derive(Debug)]
pub struct QuotaGate {
    concurrency_max: u32,
    memory_bytes_max: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bucket: Option<Bucket>,
    minute: Option<Window>,
    day: Option<Window>,
    inside: u32,
    memory_bytes: u64,
}

impl QuotaGate {
    /// A gate for this quota, of which something may have been used before; `None` when nothing that is checked for an
    /// invocation is limited.
    #[must_use]
    pub fn new(quota: &Quota, spent: Spent) -> Option<Arc<Self>> {
        if (Quota { loaded: None, ..*quota }).is_unlimited() {
            return None;
        }
        let window = |length_us, limit: Option<_>, used_nanos| {
            let mut window = Window::new(length_us, limit?);
            window.turn(spent.as_of_us);
            window.add_used(used_nanos);
            Some(window)
        };
        let state = State {
            bucket: quota.requests_per_second.map(Bucket::new),
            minute: window(MINUTE_US, quota.cpu_per_minute, spent.minute_nanos),
            day: window(DAY_US, quota.cpu_per_day, spent.day_nanos),
            inside: 0,
            memory_bytes: 0,
        };
        Some(Arc::new(Self {
            concurrency_max: quota.concurrency.unwrap_or(u32::MAX),
            memory_bytes_max: quota.memory.map_or(u64::MAX, |memory| memory.0),
            state: Mutex::new(state),
        }))
    }

    /// Lets an invocation in, with as much executed time as it may use at most, or says what it would pass.
    ///
    /// # Errors
    /// The limit that would be passed. Nothing was taken then.
    pub fn try_enter(self: &Arc<Self>, now_us: u64, ask: Ask) -> Result<Reservation, Over> {
        let mut state = self.state.lock();
        state.turn(now_us);
        self.check(&mut state, now_us, ask)?;
        if let Some(bucket) = &mut state.bucket {
            bucket.take(now_us);
        }
        state.inside += 1;
        state.memory_bytes = state.memory_bytes.saturating_add(ask.memory_bytes);
        let mut reservation = Reservation::new(self, state.grant(ask), ask);
        let nanos = reservation.cpu_nanos_max().saturating_add(ask.overrun_nanos);
        reservation.reserve(&mut state, nanos);
        Ok(reservation)
    }

    /// What was used or is reserved in the windows of `now_us`: with it, a gate for a changed quota goes on from here.
    /// A window that has no limit counts nothing.
    #[must_use]
    pub fn spent(&self, now_us: u64) -> Spent {
        let mut state = self.state.lock();
        state.turn(now_us);
        Spent {
            as_of_us: now_us,
            minute_nanos: state.minute.as_ref().map_or(0, Window::booked_nanos),
            day_nanos: state.day.as_ref().map_or(0, Window::booked_nanos),
        }
    }

    /// What would be passed, the limit that takes longest first.
    fn check(&self, state: &mut State, now_us: u64, ask: Ask) -> Result<(), Over> {
        let least_nanos = ask.cpu_nanos_max.min(GRANT_NANOS_MIN).saturating_add(ask.overrun_nanos);
        for (limit, window) in [(QuotaLimit::CpuPerDay, &state.day), (QuotaLimit::CpuPerMinute, &state.minute)] {
            let Some(window) = window else { continue };
            let retry_after_us = match window.check(least_nanos) {
                Ok(()) => continue,
                Err(Short::Used) => window.turns_in_us(now_us),
                Err(Short::Reserved) => window.turns_in_us(now_us).min(HELD_RETRY_US),
            };
            return Err(Over { limit, retry_after_us });
        }
        if state.inside >= self.concurrency_max {
            return Err(Over { limit: QuotaLimit::Concurrency, retry_after_us: HELD_RETRY_US });
        }
        if state.memory_bytes.saturating_add(ask.memory_bytes) > self.memory_bytes_max {
            return Err(Over { limit: QuotaLimit::Memory, retry_after_us: HELD_RETRY_US });
        }
        match state.bucket.as_mut().and_then(|bucket| bucket.wait_us(now_us)) {
            Some(retry_after_us) => Err(Over { limit: QuotaLimit::RequestsPerSecond, retry_after_us }),
            None => Ok(()),
        }
    }
}

impl State {
    fn turn(&mut self, now_us: u64) {
        for window in [&mut self.minute, &mut self.day].into_iter().flatten() {
            window.turn(now_us);
        }
    }

    /// Executed time that one invocation gets of what is left.
    fn grant(&self, ask: Ask) -> u64 {
        let left = |window: &Window| {
            let left_nanos = window.left_nanos().saturating_sub(ask.overrun_nanos);
            left_nanos.min(GRANT_NANOS.max(left_nanos / LEFT_PART))
        };
        [&self.minute, &self.day].into_iter().flatten().map(left).fold(ask.cpu_nanos_max, u64::min)
    }
}
