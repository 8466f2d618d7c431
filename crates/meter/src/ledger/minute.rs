//! The minute by which usage is summed.

use std::fmt;

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

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
