//! What a tenant or an app may use of a node, and what share of it a tenant gets when others want it too.

mod limit;
mod weight;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::quantity::Bytes;
use crate::quota::limit::Written;

pub use limit::{QuotaError, QuotaFault, QuotaLimit};
pub use weight::{Weight, WeightError};

/// What a tenant or an app may use of one node; what is `None` is not limited.
///
/// A tenant's quota is for all its apps together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Quota {
    /// Requests that are admitted in a second, over any length of time; up to as many at once after a pause.
    pub requests_per_second: Option<u32>,
    /// Invocations at once.
    pub concurrency: Option<u32>,
    /// Executed time of the invocations that are admitted in one minute of the clock.
    pub cpu_per_minute: Option<Duration>,
    /// The budget: executed time of the invocations that are admitted in one day of UTC.
    pub cpu_per_day: Option<Duration>,
    /// The memory limits of the invocations that run at once, together.
    pub memory: Option<Bytes>,
    /// The code that is loaded at once, compiled.
    pub loaded: Option<Bytes>,
}

impl Quota {
    /// The most requests per second.
    pub const REQUESTS_PER_SECOND_MAX: u32 = 1_000_000;
    /// The most invocations at once.
    pub const CONCURRENCY_MAX: u32 = 1_000_000;
    /// The least executed time of a window.
    pub const CPU_MIN: Duration = Duration::from_millis(10);
    /// The most executed time of a minute: that of 1,024 processors.
    pub const CPU_PER_MINUTE_MAX: Duration = Duration::from_secs(1_024 * 60);
    /// The most executed time of a day: that of 1,024 processors.
    pub const CPU_PER_DAY_MAX: Duration = Duration::from_secs(1_024 * 24 * 60 * 60);
    /// The least memory and the least loaded code.
    pub const BYTES_MIN: Bytes = Bytes::kib(64);
    /// The most memory and the most loaded code.
    pub const BYTES_MAX: Bytes = Bytes::gib(64 * 1_024);

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the limits can be meant: each within its bounds, and none that another makes unreachable.
    ///
    /// # Errors
    /// The first limit that cannot be meant.
    pub fn check(&self) -> Result<(), QuotaError> {
        for limit in QuotaLimit::ALL {
            limit.check_bounds(self)?;
        }
        match (self.cpu_per_minute, self.cpu_per_day) {
            (Some(minute), Some(day)) if minute > day => {
                Err(QuotaError { limit: QuotaLimit::CpuPerMinute, fault: QuotaFault::AboveDay })
            }
            _ => Ok(()),
        }
    }

    /// Whether an app can have this quota in a tenant that has `tenant`: a limit above its tenant's would never be
    /// reached.
    ///
    /// # Errors
    /// The first limit that is above the tenant's.
    pub fn check_within(&self, tenant: &Quota) -> Result<(), QuotaError> {
        for limit in QuotaLimit::ALL {
            if let (Some(own), Some(above)) = (limit.number(self), limit.number(tenant))
                && own > above
            {
                return Err(QuotaError { limit, fault: QuotaFault::AboveTenant });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(quota: Quota, expect: Result<(), &str>) {
        let found = quota.check().map_err(|error| error.to_string());
        assert_eq!(found, expect.map_err(str::to_owned));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let none = Quota::default();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        check(none, Ok(()));
        check(Quota { cpu_per_minute: seconds(1), cpu_per_day: seconds(1), ..none }, Ok(()));
        check(
            Quota { cpu_per_minute: seconds(2), cpu_per_day: seconds(1), ..none },
            Err("`cpu_per_minute` is more than `cpu_per_day`, so it is never reached"),
        );
        check(Quota { requests_per_second: Some(0), ..none }, Err("`requests_per_second` must be from 1 to 1000000"));
        check(Quota { concurrency: Some(0), ..none }, Err("`concurrency` must be from 1 to 1000000"));
        check(Quota { cpu_per_minute: seconds(0), ..none }, Err("`cpu_per_minute` must be from 10ms to 1024m"));
        check(Quota { cpu_per_day: Some(Duration::MAX), ..none }, Err("`cpu_per_day` must be from 10ms to 24576h"));
        check(Quota { memory: Some(Bytes(1)), ..none }, Err("`memory` must be from 64KiB to 64TiB"));
        check(Quota { loaded: Some(Bytes(0)), ..none }, Err("`loaded` must be from 64KiB to 64TiB"));
    }

    #[test]
    fn an_app_is_within_its_tenant() {
        let tenant = Quota { concurrency: Some(10), ..Quota::default() };
        let app = |concurrency| Quota { concurrency, memory: Some(Bytes::gib(1)), ..Quota::default() };
        assert_eq!(app(Some(10)).check_within(&tenant), Ok(()));
        assert_eq!(app(None).check_within(&tenant), Ok(()));
        let error = app(Some(11)).check_within(&tenant).unwrap_err();
        assert_eq!(error.to_string(), "`concurrency` is more than the tenant has, so it is never reached");
    }

    #[test]
    fn the_written_form_leaves_out_what_is_not_limited_and_is_checked_when_read_back() {
        let quota = Quota {
            requests_per_second: Some(50),
            cpu_per_day: Some(Duration::from_secs(3_600)),
            memory: Some(Bytes::mib(256)),
            ..Quota::default()
        };
        let json = serde_json::to_string(&quota).unwrap();
        assert_eq!(json, r#"{"requests_per_second":50,"cpu_per_day":"1h","memory":"256MiB"}"#);
        assert_eq!(serde_json::from_str::<Quota>(&json).unwrap(), quota);
        let error = serde_json::from_str::<Quota>(r#"{"cpu_per_minute":"0s"}"#).unwrap_err().to_string();
        assert!(error.contains("`cpu_per_minute` must be from"), "{error}");
        assert!(serde_json::from_str::<Quota>(r#"{"requests":1}"#).is_err());
    }
}
