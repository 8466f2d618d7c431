//! The node's clock: the one place that asks what time it is.

use std::time::{Duration, Instant, SystemTime};

/// A moment, on a clock that never goes back.
pub(crate) type Moment = Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
pub(crate) fn now() -> Moment {
    Instant::now()
}

/// Seconds since the Unix epoch, as the calendar is set now. For what the outside dates, such as a certificate.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Relates moments to the calendar, from one pair of readings at the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    moment: Moment,
    since_epoch: Duration,
}

impl Calendar {
    /// Reads both clocks.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { moment: Instant::now(), since_epoch }
    }

    /// Microseconds since the Unix epoch at a moment.
    pub(crate) fn micros(&self, moment: Moment) -> u64 {
        let since_epoch = self.since_epoch + moment.saturating_duration_since(self.moment);
        u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
    }
}
