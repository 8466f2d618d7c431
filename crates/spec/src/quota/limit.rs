//! The limits of a quota one by one: what each is called, and what it may be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Quota;
use crate::quantity::{Bytes, QuantityError, format_duration, parse_duration};

/// One limit of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaLimit {
    /// Requests per second.
    RequestsPerSecond,
    /// Invocations at once.
    Concurrency,
    /// Executed time per minute.
    CpuPerMinute,
    /// Executed time per day: the budget.
    CpuPerDay,
    /// Memory of what runs at once.
    Memory,
    /// Loaded code.
    Loaded,
}

/// A limit that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {fault}", limit.label())]
pub struct QuotaError {
    /// The limit.
    pub limit: QuotaLimit,
    /// What is wrong with it.
    pub fault: QuotaFault,
}

/// What is wrong with a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaFault {
    /// It is zero, or otherwise outside of its bounds.
    #[error("must be from {least} to {most}")]
    Bounds {
        /// The least that it may be, as people write it.
        least: String,
        /// The most that it may be, as people write it.
        most: String,
    },
    /// A minute has more than its day.
    #[error("is more than `cpu_per_day`, so it is never reached")]
    AboveDay,
    /// An app has more than its tenant.
    #[error("is more than the tenant has, so it is never reached")]
    AboveTenant,
}

impl QuotaLimit {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::RequestsPerSecond, Self::Concurrency, Self::CpuPerMinute, Self::CpuPerDay, Self::Memory, Self::Loaded];

    /// Its key in a file, and its name elsewhere.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RequestsPerSecond => "requests_per_second",
            Self::Concurrency => "concurrency",
            Self::CpuPerMinute => "cpu_per_minute",
            Self::CpuPerDay => "cpu_per_day",
            Self::Memory => "memory",
            Self::Loaded => "loaded",
        }
    }

    /// The limit as a number that can be compared with another's, if there is one.
    pub(super) fn number(self, quota: &Quota) -> Option<u128> {
        match self {
            Self::RequestsPerSecond => quota.requests_per_second.map(u128::from),
            Self::Concurrency => quota.concurrency.map(u128::from),
            Self::CpuPerMinute => quota.cpu_per_minute.map(|cpu| cpu.as_nanos()),
            Self::CpuPerDay => quota.cpu_per_day.map(|cpu| cpu.as_nanos()),
            Self::Memory => quota.memory.map(|bytes| u128::from(bytes.0)),
            Self::Loaded => quota.loaded.map(|bytes| u128::from(bytes.0)),
        }
    }

    /// Takes the limit away.
    pub(crate) fn clear(self, quota: &mut Quota) {
        match self {
            Self::RequestsPerSecond => quota.requests_per_second = None,
            Self::Concurrency => quota.concurrency = None,
            Self::CpuPerMinute => quota.cpu_per_minute = None,
            Self::CpuPerDay => quota.cpu_per_day = None,
            Self::Memory => quota.memory = None,
            Self::Loaded => quota.loaded = None,
        }
    }

    pub(super) fn check_bounds(self, quota: &Quota) -> Result<(), QuotaError> {
        let fault = match self {
            Self::RequestsPerSecond => outside(quota.requests_per_second, (1, Quota::REQUESTS_PER_SECOND_MAX)),
            Self::Concurrency => outside(quota.concurrency, (1, Quota::CONCURRENCY_MAX)),
            Self::CpuPerMinute => outside_time(quota.cpu_per_minute, Quota::CPU_PER_MINUTE_MAX),
            Self::CpuPerDay => outside_time(quota.cpu_per_day, Quota::CPU_PER_DAY_MAX),
            Self::Memory => outside(quota.memory, (Quota::BYTES_MIN, Quota::BYTES_MAX)),
            Self::Loaded => outside(quota.loaded, (Quota::BYTES_MIN, Quota::BYTES_MAX)),
        };
        fault.map_or(Ok(()), |fault| Err(QuotaError { limit: self, fault }))
    }
}

fn outside<T: PartialOrd + ToString>(found: Option<T>, (least, most): (T, T)) -> Option<QuotaFault> {
    let found = found?;
    let is_outside = found < least || found > most;
    is_outside.then(|| QuotaFault::Bounds { least: least.to_string(), most: most.to_string() })
}

fn outside_time(found: Option<Duration>, most: Duration) -> Option<QuotaFault> {
    let is_outside = !(Quota::CPU_MIN..=most).contains(&found?);
    is_outside.then(|| QuotaFault::Bounds { least: format_duration(Quota::CPU_MIN), most: format_duration(most) })
}

/// A quota as it is written: times are text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests_per_second: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cpu_per_minute: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cpu_per_day: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loaded: Option<Bytes>,
}

/// The written form is not a quota.
#[derive(Debug, thiserror::Error)]
pub(super) enum WrittenError {
    /// A time is not one.
    #[error(transparent)]
    Time(QuantityError),
    /// A limit cannot be meant.
    #[error(transparent)]
    Limit(QuotaError),
}

impl TryFrom<Written> for Quota {
    type Error = WrittenError;

    fn try_from(written: Written) -> Result<Self, WrittenError> {
        let time = |text: Option<String>| text.as_deref().map(parse_duration).transpose().map_err(WrittenError::Time);
        let quota = Self {
            requests_per_second: written.requests_per_second,
            concurrency: written.concurrency,
            cpu_per_minute: time(written.cpu_per_minute)?,
            cpu_per_day: time(written.cpu_per_day)?,
            memory: written.memory,
            loaded: written.loaded,
        };
        quota.check().map_err(WrittenError::Limit)?;
        Ok(quota)
    }
}

impl From<Quota> for Written {
    fn from(quota: Quota) -> Self {
        Self {
            requests_per_second: quota.requests_per_second,
            concurrency: quota.concurrency,
            cpu_per_minute: quota.cpu_per_minute.map(format_duration),
            cpu_per_day: quota.cpu_per_day.map(format_duration),
            memory: quota.memory,
            loaded: quota.loaded,
        }
    }
}
