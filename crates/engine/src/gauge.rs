//! What one invocation has used, and which of its limits it met first.

use cumulet_spec::grant::Capability;
use cumulet_spec::usage::HostCalls;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

/// The limit that an invocation met first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Breach {
    /// Growth of a memory or table was refused.
    Memory = 1,
    /// More processor time than granted.
    Cpu = 2,
    /// Bytes, handles or headers of host calls beyond their limit.
    Host = 3,
}

/// Usage and breaches of one invocation, shared between the thread that polls the guest and those who read it.
///
/// Written by the polling thread alone, so relaxed order suffices; readers see a value that is at most one poll old.
#[derive(Debug)]
pub struct Gauge {
    cpu_nanos_max: u64,
    memory_bytes_max: u64,
    cpu_nanos: AtomicU64,
    slice_started_nanos: AtomicU64,
    /// What it used otherwise: its parts of slices that ran in the name of others, who write this, and what it inherited.
    borne_nanos: AtomicU64,
    is_shared: AtomicBool,
    memory_peak_bytes: AtomicU64,
    breach: AtomicU8,
    host_calls: [AtomicU32; Capability::ALL.len()],
}

impl Gauge {
    /// A gauge at zero for an invocation with these limits: nanoseconds of executed time, and bytes over all memories
    /// and tables together.
    #[must_use]
    pub fn new(cpu_nanos_max: u64, memory_bytes_max: u64) -> Self {
        Self {
            cpu_nanos_max,
            memory_bytes_max,
            cpu_nanos: AtomicU64::new(0),
            slice_started_nanos: AtomicU64::new(0),
            borne_nanos: AtomicU64::new(0),
            is_shared: AtomicBool::new(false),
            memory_peak_bytes: AtomicU64::new(0),
            breach: AtomicU8::new(0),
            host_calls: Default::default(),
        }
    }

    /// Executed time so far, in nanoseconds, without the slice that is running.
    #[must_use]
    pub fn cpu_nanos(&self) -> u64 {
        self.cpu_nanos.load(Ordering::Relaxed).saturating_add(self.borne_nanos.load(Ordering::Relaxed))
    }

    /// Whether polls were shared with other invocations, so that the executed time is a share.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Relaxed)
    }

    /// Bears what was used before there was anybody to bear it.
    pub fn inherit(&self, nanos: u64) {
        self.borne_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Bears a part of a slice that ran in another's name.
    pub fn bear(&self, nanos: u64) {
        self.is_shared.store(true, Ordering::Relaxed);
        self.borne_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Others bear so much of the slice that is running.
    pub fn give_away(&self, nanos: u64) {
        self.is_shared.store(true, Ordering::Relaxed);
        let started = self.slice_started_nanos.load(Ordering::Relaxed);
        self.slice_started_nanos.store(started.saturating_add(nanos), Ordering::Relaxed);
    }

    /// Whether the executed time, and so much of a slice that is running, is past its limit.
    #[must_use]
    pub fn is_beyond_cpu(&self, running_nanos: u64) -> bool {
        self.cpu_nanos().saturating_add(running_nanos) > self.cpu_nanos_max
    }

    /// The largest sum of memories and tables so far, in bytes.
    #[must_use]
    pub fn memory_peak_bytes(&self) -> u64 {
        self.memory_peak_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that all memories and tables may take together.
    #[must_use]
    pub fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max
    }

    /// The limit that was met first, if any was.
    #[must_use]
    pub fn breach(&self) -> Option<Breach> {
        match self.breach.load(Ordering::Relaxed) {
            1 => Some(Breach::Memory),
            2 => Some(Breach::Cpu),
            3 => Some(Breach::Host),
            _ => None,
        }
    }

    /// Notes that a limit was met. Passing the processor limit ends a guest and so replaces what was noted before.
    pub fn note(&self, breach: Breach) {
        if breach == Breach::Cpu || self.breach.load(Ordering::Relaxed) == 0 {
            self.breach.store(breach as u8, Ordering::Relaxed);
        }
    }

    /// Counts a call to the host.
    pub fn called(&self, capability: Capability) {
        if let Some(count) = self.host_calls.get(capability.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The calls to the host so far.
    #[must_use]
    pub fn host_calls(&self) -> HostCalls {
        HostCalls::from_counts(std::array::from_fn(|place| {
            self.host_calls.get(place).map_or(0, |count| count.load(Ordering::Relaxed))
        }))
    }

    /// A slice starts on this thread at `now_nanos` of its processor time.
    pub(crate) fn slice_starts(&self, now_nanos: u64) {
        self.slice_started_nanos.store(now_nanos, Ordering::Relaxed);
    }

    /// The slice ends at `now_nanos` of its thread's processor time.
    pub(crate) fn slice_ends(&self, now_nanos: u64) {
        let spent = self.slice_nanos(now_nanos);
        let before = self.cpu_nanos.load(Ordering::Relaxed);
        self.cpu_nanos.store(before.saturating_add(spent), Ordering::Relaxed);
    }

    /// Nanoseconds that the running slice has taken at `now_nanos`.
    pub(crate) fn slice_nanos(&self, now_nanos: u64) -> u64 {
        now_nanos.saturating_sub(self.slice_started_nanos.load(Ordering::Relaxed))
    }

    /// Whether the executed time, the running slice included, is past its limit at `now_nanos`.
    pub(crate) fn is_over_cpu(&self, now_nanos: u64) -> bool {
        self.is_beyond_cpu(self.slice_nanos(now_nanos))
    }

    /// Notes the sum of memories and tables.
    pub fn holds(&self, bytes: u64) {
        if bytes > self.memory_peak_bytes.load(Ordering::Relaxed) {
            self.memory_peak_bytes.store(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_that_several_share_is_counted_once() {
        let (own, other) = (Gauge::new(100, 0), Gauge::new(100, 0));
        own.slice_starts(1_000);
        own.give_away(30);
        other.bear(30);
        own.slice_ends(1_060);
        assert_eq!((own.cpu_nanos(), other.cpu_nanos()), (30, 30));
        assert!(own.is_shared() && other.is_shared());
        assert!(!other.is_beyond_cpu(70) && other.is_beyond_cpu(71));
        own.slice_starts(2_000);
        own.slice_ends(2_010);
        assert_eq!(own.cpu_nanos(), 40);
    }
}
