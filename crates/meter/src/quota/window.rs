//! Executed time within a minute or a day of the clock.

use std::time::Duration;

/// A minute, in microseconds.
pub(super) const MINUTE_US: u64 = 60 * 1_000_000;
/// A day of UTC, in microseconds.
pub(super) const DAY_US: u64 = 24 * 60 * MINUTE_US;

/// Executed time that was booked in the window that now is; each window starts with nothing.
#[derive(Debug)]
pub(super) struct Window {
    length_us: u64,
    limit_nanos: u64,
    /// Which window, counted from the Unix epoch. It never goes back, whatever the clock does.
    number: u64,
    /// Used, or reserved for what runs.
    booked_nanos: u64,
    /// The part of it that is reserved.
    reserved_nanos: u64,
}

/// A part of a window that is reserved for one invocation.
#[derive(Debug, Default)]
pub(super) struct Hold {
    number: u64,
    nanos: u64,
}

/// What is left of a window is less than what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Short {
    /// Others that run may give some of it back.
    Reserved,
    /// It has been used.
    Used,
}

impl Window {
    pub(super) fn new(length_us: u64, limit: Duration) -> Self {
        let limit_nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Self { length_us, limit_nanos, number: 0, booked_nanos: 0, reserved_nanos: 0 }
    }

    /// Goes on to the window of `now_us`.
    pub(super) fn turn(&mut self, now_us: u64) {
        let number = now_us / self.length_us;
        if number > self.number {
            *self = Self { number, booked_nanos: 0, reserved_nanos: 0, ..*self };
        }
    }

    /// Counts what was used before this window was kept here.
    pub(super) fn add_used(&mut self, nanos: u64) {
        self.booked_nanos = self.booked_nanos.saturating_add(nanos);
    }

    /// What was used or is reserved in this window.
    pub(super) fn booked_nanos(&self) -> u64 {
        self.booked_nanos
    }

    pub(super) fn left_nanos(&self) -> u64 {
        self.limit_nanos.saturating_sub(self.booked_nanos)
    }

    /// Whether `least_nanos` can be reserved, and if not, why not.
    pub(super) fn check(&self, least_nanos: u64) -> Result<(), Short> {
        if self.left_nanos() >= least_nanos {
            return Ok(());
        }
        let without_reserved = self.left_nanos().saturating_add(self.reserved_nanos);
        Err(if without_reserved >= least_nanos { Short::Reserved } else { Short::Used })
    }

    /// How long until the window turns.
    pub(super) fn turns_in_us(&self, now_us: u64) -> u64 {
        (self.number + 1).saturating_mul(self.length_us).saturating_sub(now_us)
    }

    /// Reserves time that is left. What is held of an earlier window stays used there.
    pub(super) fn reserve(&mut self, hold: &mut Hold, nanos: u64) {
        if hold.number != self.number {
            *hold = Hold { number: self.number, nanos: 0 };
        }
        hold.nanos += nanos;
        self.booked_nanos = self.booked_nanos.saturating_add(nanos);
        self.reserved_nanos = self.reserved_nanos.saturating_add(nanos);
    }

    /// Ends a reservation: of `reserved_nanos`, in this window and earlier ones, `executed_nanos` were used. What was used
    /// beyond it is booked here as well.
    pub(super) fn settle(&mut self, hold: &Hold, reserved_nanos: u64, executed_nanos: u64) {
        if hold.number == self.number {
            let unused_nanos = reserved_nanos.saturating_sub(executed_nanos).min(hold.nanos);
            let over_nanos = executed_nanos.saturating_sub(reserved_nanos);
            self.reserved_nanos = self.reserved_nanos.saturating_sub(hold.nanos);
            self.booked_nanos = self.booked_nanos.saturating_sub(unused_nanos).saturating_add(over_nanos);
        }
    }

    /// Gives back a part of what is held.
    pub(super) fn shrink(&mut self, hold: &mut Hold, nanos: u64) {
        if hold.number == self.number {
            let nanos = nanos.min(hold.nanos);
            hold.nanos -= nanos;
            self.reserved_nanos = self.reserved_nanos.saturating_sub(nanos);
            self.booked_nanos = self.booked_nanos.saturating_sub(nanos);
        }
    }
}
