//! What one invocation used: the record from which bills and counters are made.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::grant::Capability;
use crate::id::{AppName, ComponentName, Digest, InvocationId, NodeName, TenantId};
use crate::invocation::Trigger;
use crate::outcome::Outcome;

/// Whom a usage record is about. It is made once per revision, component and trigger, and shared by its records.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UsageSubject {
    /// The node that ran it.
    pub node: NodeName,
    /// Who pays.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// The component of the trigger; a composed graph is billed to it.
    pub component: ComponentName,
    /// The revision.
    pub revision: Digest,
    /// What makes its invocations happen.
    pub trigger: Trigger,
}

/// One record per invocation that was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// The invocation.
    pub id: InvocationId,
    /// Whom it is about.
    #[serde(flatten)]
    pub subject: Arc<UsageSubject>,
    /// When it was admitted, in microseconds since the Unix epoch.
    pub started_us: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    #[serde(flatten)]
    pub usage: Usage,
}

/// The quantities of a usage record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// From admission to the end of the response body, in microseconds.
    pub wall_us: u64,
    /// Thread CPU time over every poll of the guest, in microseconds.
    pub executed_us: u64,
    /// The most memory that the instance held, in bytes.
    pub memory_peak_bytes: u64,
    /// Bytes of the request body that the guest was given.
    pub bytes_in: u64,
    /// Bytes of the response body that the client was sent.
    pub bytes_out: u64,
    /// Calls to the host.
    pub host_calls: HostCalls,
    /// Whether polls were shared with other invocations of a reused instance, so that the executed time is a share.
    pub shared: bool,
}

impl Usage {
    /// Peak memory times wall time, in byte-microseconds; it stops at the largest number.
    #[must_use]
    pub const fn memory_time_byte_us(&self) -> u64 {
        self.memory_peak_bytes.saturating_mul(self.wall_us)
    }
}

/// Calls to the host by capability. What is linked for every component (clocks, random, output) is not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostCalls([u32; Capability::ALL.len()]);

impl HostCalls {
    /// These counts, in the order of [`Capability::ALL`].
    #[must_use]
    pub const fn from_counts(counts: [u32; Capability::ALL.len()]) -> Self {
        Self(counts)
    }

    /// Counts one call; the count stops at the largest number.
    pub fn add(&mut self, capability: Capability) {
        if let Some(count) = self.0.get_mut(capability.index()) {
            *count = count.saturating_add(1);
        }
    }

    /// How many calls there were.
    #[must_use]
    pub fn get(&self, capability: Capability) -> u32 {
        self.0.get(capability.index()).copied().unwrap_or_default()
    }

    /// The capabilities that were called, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Capability, u32)> + '_ {
        Capability::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> UsageRecord {
        let mut usage = Usage {
            wall_us: 1500,
            executed_us: 900,
            memory_peak_bytes: 1 << 20,
            bytes_in: 10,
            bytes_out: 20,
            ..Usage::default()
        };
        usage.host_calls.add(Capability::Http);
        usage.host_calls.add(Capability::Http);
        usage.host_calls.add(Capability::Network);
        UsageRecord {
            id: InvocationId(1),
            subject: Arc::new(UsageSubject {
                node: NodeName::local(),
                tenant: TenantId::local(),
                app: AppName::parse("shop").unwrap(),
                component: ComponentName::parse("front").unwrap(),
                revision: Digest::of(b"revision"),
                trigger: Trigger::Http,
            }),
            started_us: 1_700_000_000_000_000,
            outcome: Outcome::Ok,
            usage,
        }
    }

    #[test]
    fn the_written_form_is_flat_and_comes_back() {
        let json = serde_json::to_string_pretty(&record()).unwrap();
        insta::assert_snapshot!(json);
        assert_eq!(serde_json::from_str::<UsageRecord>(&json).unwrap(), record());
    }

    #[test]
    fn calls_are_counted_by_capability() {
        let calls = record().usage.host_calls;
        assert_eq!(calls.iter().collect::<Vec<_>>(), [(Capability::Http, 2), (Capability::Network, 1)]);
        assert_eq!(calls.get(Capability::File), 0);
    }

    #[test]
    fn memory_time_does_not_wrap() {
        assert_eq!(record().usage.memory_time_byte_us(), 1500 << 20);
        let huge = Usage { wall_us: u64::MAX, memory_peak_bytes: 2, ..Usage::default() };
        assert_eq!(huge.memory_time_byte_us(), u64::MAX);
    }
}
