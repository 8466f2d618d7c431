//! The minute by which usage is summed.

use std::fmt;

/// Minutes in an hour.
const HOUR_MINUTES: u64 = 60;
/// Microseconds in a minute.
const MINUTE_US: u64 = 60_000_000;

/// A minute, counted since the Unix epoch. A usage record counts in the minute in which it was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(pub u64);

impl Minute {
    /// The first one.
    pub const FIRST: Self = Self(0);
    /// Later than the minute of any point in time that 64 bits of microseconds can say.
    pub const END: Self = Self(u64::MAX / MINUTE_US + 1);

    /// The minute of a point in time in microseconds since the Unix epoch.
    #[must_use]
    pub const fn of_us(time_us: u64) -> Self {
        Self(time_us / MINUTE_US)
    }

    /// When it begins, in microseconds since the Unix epoch; it stops at the largest number.
    #[must_use]
    pub const fn start_us(self) -> u64 {
        self.0.saturating_mul(MINUTE_US)
    }
}

/// An hour, counted since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Hour(pub(super) u64);

impl Hour {
    pub(super) const fn start(self) -> Minute {
        Minute(self.0.saturating_mul(HOUR_MINUTES))
    }
}

impl Minute {
    pub(super) const fn hour(self) -> Hour {
        Hour(self.0 / HOUR_MINUTES)
    }

    /// The first hour that does not begin before this minute.
    pub(super) const fn next_hour(self) -> Hour {
        Hour(self.0.div_ceil(HOUR_MINUTES))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
