//! How an invocation, or the request that never became one, ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a request ended. Status code, metric label, log line and usage record all follow from it.
///
/// The set is closed: whoever matches on it handles every row of the table of HTTP behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Served.
    Ok,
    /// No route leads anywhere.
    NoRoute,
    /// The guest trapped.
    Trap,
    /// The guest ended without a response.
    NoResponse,
    /// The guest passed its executed time.
    CpuLimit,
    /// The guest passed its wall clock.
    Deadline,
    /// Memory growth was refused, and the guest then trapped or never answered.
    MemoryLimit,
    /// The guest passed a limit on host-call bytes, handles, headers or chunks.
    HostLimit,
    /// The instance that the invocation shared was ended because of another invocation.
    InstanceLost,
    /// The client went away.
    ClientGone,
    /// Over the quota or the budget of the app or its tenant.
    Quota,
    /// Over the concurrency of the app or its tenant, after a short bounded queue.
    Concurrency,
    /// The node sheds load, after a short bounded queue.
    Shed,
    /// The node drains.
    Draining,
    /// Body, headers or URI over the size that is accepted.
    TooLarge,
    /// Our own fault.
    HostError,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The component's, so its author's.
    Guest,
    /// The client's.
    Client,
    /// That of a service which the component called.
    Upstream,
    /// Ours.
    Host,
}

impl Outcome {
    /// Every outcome, in the order of the table of HTTP behaviour.
    pub const ALL: [Self; 16] = [
        Self::Ok,
        Self::NoRoute,
        Self::Trap,
        Self::NoResponse,
        Self::CpuLimit,
        Self::Deadline,
        Self::MemoryLimit,
        Self::HostLimit,
        Self::InstanceLost,
        Self::ClientGone,
        Self::Quota,
        Self::Concurrency,
        Self::Shed,
        Self::Draining,
        Self::TooLarge,
        Self::HostError,
    ];

    /// The name in metrics, logs and records.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoRoute => "no-route",
            Self::Trap => "trap",
            Self::NoResponse => "no-response",
            Self::CpuLimit => "cpu-limit",
            Self::Deadline => "deadline",
            Self::MemoryLimit => "memory-limit",
            Self::HostLimit => "host-limit",
            Self::InstanceLost => "instance-lost",
            Self::ClientGone => "client-gone",
            Self::Quota => "quota",
            Self::Concurrency => "concurrency",
            Self::Shed => "shed",
            Self::Draining => "draining",
            Self::TooLarge => "too-large",
            Self::HostError => "host-error",
        }
    }

    /// The place in [`Outcome::ALL`], for counters that are arrays.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The HTTP status that the client gets when no response was begun.
    ///
    /// For [`Outcome::Ok`] the guest's own status counts and this is 200; for [`Outcome::TooLarge`] this is the
    /// status of a body, headers get 431 and a URI 414; for [`Outcome::ClientGone`] nobody is there to read the
    /// 499.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::NoRoute => 404,
            Self::TooLarge => 413,
            Self::Quota | Self::Concurrency => 429,
            Self::ClientGone => 499,
            Self::Trap | Self::NoResponse | Self::MemoryLimit | Self::HostLimit | Self::HostError => 500,
            Self::InstanceLost | Self::Shed | Self::Draining => 503,
            Self::CpuLimit | Self::Deadline => 504,
        }
    }

    /// Whose fault it is; nobody's when the request was served.
    #[must_use]
    pub const fn fault(self) -> Option<Fault> {
        match self {
            Self::Ok => None,
            Self::NoRoute | Self::ClientGone | Self::Quota | Self::Concurrency | Self::TooLarge => Some(Fault::Client),
            Self::Trap | Self::NoResponse | Self::CpuLimit | Self::Deadline | Self::MemoryLimit | Self::HostLimit => {
                Some(Fault::Guest)
            }
            Self::InstanceLost | Self::Shed | Self::Draining | Self::HostError => Some(Fault::Host),
        }
    }

    /// Whether the same request may well succeed a little later.
    #[must_use]
    pub const fn retry(self) -> bool {
        matches!(self, Self::InstanceLost | Self::Quota | Self::Concurrency | Self::Shed | Self::Draining)
    }

    /// Whether the reply carries `retry-after`.
    #[must_use]
    pub const fn retry_after(self) -> bool {
        matches!(self, Self::Quota | Self::Concurrency | Self::Shed | Self::Draining)
    }

    /// Whether the tenant pays for what ran, if anything did: for what had a permit and ended so.
    ///
    /// A body can turn out too large, and a budget can be used up, while a guest runs: its time counts. What we cut short
    /// for reasons of our own does not.
    #[must_use]
    pub const fn billed(self) -> bool {
        !matches!(
            self,
            Self::NoRoute | Self::Concurrency | Self::Shed | Self::Draining | Self::InstanceLost | Self::HostError
        )
    }

    /// What the client is told: one short sentence without anything from the inside.
    #[must_use]
    pub const fn public_text(self) -> &'static str {
        match self {
            Self::Ok => "The request was served.",
            Self::NoRoute => "Nothing is served at this address.",
            Self::Trap => "The application failed.",
            Self::NoResponse => "The application ended without a response.",
            Self::CpuLimit => "The application used up its processing time.",
            Self::Deadline => "The application did not answer in time.",
            Self::MemoryLimit => "The application ran out of memory.",
            Self::HostLimit => "The application passed one of its limits.",
            Self::InstanceLost => "The application was interrupted; try again.",
            Self::ClientGone => "The client went away.",
            Self::Quota => "The application is over its quota; try again later.",
            Self::Concurrency => "The application is busy; try again later.",
            Self::Shed => "The server is busy; try again later.",
            Self::Draining => "The server is shutting down; try again.",
            Self::TooLarge => "The request is too large.",
            Self::HostError => "The server failed.",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

impl Fault {
    /// The name in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published table: label, status, `retry-after`.
    const TABLE: [(&str, u16, bool); 16] = [
        ("ok", 200, false),
        ("no-route", 404, false),
        ("trap", 500, false),
        ("no-response", 500, false),
        ("cpu-limit", 504, false),
        ("deadline", 504, false),
        ("memory-limit", 500, false),
        ("host-limit", 500, false),
        ("instance-lost", 503, false),
        ("client-gone", 499, false),
        ("quota", 429, true),
        ("concurrency", 429, true),
        ("shed", 503, true),
        ("draining", 503, true),
        ("too-large", 413, false),
        ("host-error", 500, false),
    ];

    #[test]
    fn the_outcomes_are_those_of_the_published_table() {
        let ours = Outcome::ALL.map(|outcome| (outcome.label(), outcome.status(), outcome.retry_after()));
        assert_eq!(ours, TABLE);
    }

    #[test]
    fn each_outcome_has_one_place_and_one_name() {
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome.index(), index);
            assert_eq!(serde_json::to_string(&outcome).unwrap(), format!("\"{}\"", outcome.label()));
        }
    }

    #[test]
    fn fault_status_and_retry_agree() {
        for outcome in Outcome::ALL {
            let fault = outcome.fault();
            assert_eq!(fault.is_none(), outcome == Outcome::Ok, "{outcome}");
            assert_eq!(fault == Some(Fault::Client), (400..500).contains(&outcome.status()), "{outcome}");
            assert!(!outcome.retry_after() || outcome.retry(), "{outcome}");
        }
        assert!(!Outcome::InstanceLost.billed());
    }

    #[test]
    fn the_public_text_is_one_sentence_without_internals() {
        for outcome in Outcome::ALL {
            let text = outcome.public_text();
            assert!(text.ends_with('.') && text.len() <= 60, "{text}");
            let lower = text.to_lowercase();
            for inner in ["wasm", "trap", "guest", "instance", "cumulet", "host"] {
                assert!(!lower.contains(inner), "{text}");
            }
        }
    }
}
