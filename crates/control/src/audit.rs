//! Who tried to do what, and what came of it.

use cumulet_spec::id::TenantId;
use cumulet_spec::token::Actor;
use serde::{Deserialize, Serialize};

/// Entries of those who are known that are kept.
pub const AUDIT_KNOWN_MAX: u64 = 80_000;
/// Entries of those who are not. They are counted apart, so that nobody pushes out the others by failing often.
pub const AUDIT_ANONYMOUS_MAX: u64 = 20_000;
/// The longest text of an entry, in bytes; what is longer is cut.
pub const AUDIT_TEXT_BYTES_MAX: usize = 256;

/// The number of an entry: 1 for the first, and never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditNumber(pub u64);

/// One attempt to see or change something, also one that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, in µs since 1970.
    pub at_us: u64,
    /// Who.
    pub who: Actor,
    /// Whose things it was about; none for the node's own.
    pub tenant: Option<TenantId>,
    /// What was tried, as a verb and a noun of ours: `traffic.set`.
    pub action: &'static str,
    /// What it was tried on, as it was named by the client.
    pub target: String,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// Why it was refused or failed; empty otherwise.
    pub reason: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Denied,
    /// It was allowed, and did not work.
    Failed,
}

impl AuditOutcome {
    /// Its name, as it is written.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn of_label(label: &str) -> Option<Self> {
        [Self::Done, Self::Denied, Self::Failed].into_iter().find(|outcome| outcome.label() == label)
    }
}

/// An attempt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Its number.
    pub number: AuditNumber,
    /// When, in µs since 1970.
    pub at_us: u64,
    /// Who.
    pub who: Actor,
    /// Whose things it was about; none for the node's own.
    pub tenant: Option<TenantId>,
    /// What was tried.
    pub action: String,
    /// What it was tried on.
    pub target: String,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// Why it was refused or failed; empty otherwise.
    pub reason: String,
}

/// Which attempts are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those about one tenant's things.
    pub tenant: Option<TenantId>,
}
