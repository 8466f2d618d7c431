//! What may be asked of the registry, and what comes of it.

use std::fmt;

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::revision::Revision;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::host::Host;
use crate::registry::RegistryError;

/// The largest written form of a revision, in bytes.
pub const REVISION_BYTES_MAX: usize = 1 << 20;
/// The most hosts of one app.
pub const HOSTS_MAX: usize = 64;
/// The longest idempotency key, in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;

/// The number of a change: 1 for the first, and never given twice.
///
/// An app's generation is the number of the change that made it what it is, so that no two states of an app share one,
/// even if it was removed between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeNumber(pub u64);

impl ChangeNumber {
    /// The generation of an app that is not deployed.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for ChangeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a client calls one request, so that it can send it again: 1 to 128 of `[A-Za-z0-9._:-]`. Each tenant has its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The text is not an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not an idempotency key: 1 to 128 of A-Z, a-z, 0-9, `.`, `_`, `:` and `-`")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// Reads a key.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds anything else.
    pub fn parse(text: &str) -> Result<Self, IdempotencyKeyError> {
        let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len());
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
        if fits && text.bytes().all(is_known) { Ok(Self(text.to_owned())) } else { Err(IdempotencyKeyError) }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A revision takes the place of whatever the app was.
#[derive(Debug, Clone)]
pub struct Deploy {
    /// Who owns the app.
    pub tenant: TenantId,
    /// What the app is from now on; the app's name is in it.
    pub revision: Revision,
    /// All hosts of the app; one that it had and that is not here is free again.
    pub hosts: Vec<Host>,
    /// When this was asked for, in µs since 1970.
    pub at_us: u64,
    /// What the client calls this request, if it may send it again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The generation that the client saw last, if it minds what came between.
    pub expected_generation: Option<ChangeNumber>,
}

/// An app is no more. Its hosts are free again.
#[derive(Debug, Clone)]
pub struct Remove {
    /// Who owns the app.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// When this was asked for, in µs since 1970.
    pub at_us: u64,
    /// What the client calls this request, if it may send it again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The generation that the client saw last, if it minds what came between.
    pub expected_generation: Option<ChangeNumber>,
}

/// What a deploy came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployed {
    /// The number of the change, which is the app's generation from now on.
    pub number: ChangeNumber,
    /// The identity of the revision.
    pub revision: Digest,
}

/// What is written of a change in the log. Together with the revisions, the log says everything that the registry holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A revision took the place of whatever the app was.
    Deploy {
        /// The app.
        app: AppName,
        /// The revision.
        revision: Digest,
        /// All hosts of the app.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<Host>,
    },
    /// The app was removed.
    Remove {
        /// The app.
        app: AppName,
    },
}

impl Change {
    /// The app that is changed.
    #[must_use]
    pub fn app(&self) -> &AppName {
        match self {
            Self::Deploy { app, .. } | Self::Remove { app } => app,
        }
    }
}

/// An app was not changed.
#[derive(Debug, Error)]
#[error("app {app} of tenant {tenant} was not changed")]
pub struct ChangeError {
    /// Who owns the app.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// Why.
    #[source]
    pub kind: ChangeErrorKind,
}

/// Why an app was not changed.
#[derive(Debug, Error)]
pub enum ChangeErrorKind {
    /// Another app has the host.
    #[error("host {host} belongs to app {app} of tenant {tenant}; remove it there first")]
    HostTaken {
        /// The host.
        host: Host,
        /// Who owns the app that has it.
        tenant: TenantId,
        /// The app that has it.
        app: AppName,
    },
    /// There was a change that the client has not seen.
    #[error("it is at generation {found}, and {expected} was expected; look at what changed and try again")]
    Generation {
        /// The generation that the client expected.
        expected: ChangeNumber,
        /// The app's generation.
        found: ChangeNumber,
    },
    /// The key stands for something else.
    #[error("idempotency key {key} was used for another request; take a new key")]
    KeyReused {
        /// The key.
        key: String,
    },
    /// There is no such app.
    #[error("it is not deployed; look at the list of apps")]
    NotDeployed,
    /// The revision is too large.
    #[error("its revision is {bytes} bytes long, and at most {REVISION_BYTES_MAX} are kept; move data into files")]
    RevisionTooLarge {
        /// The size of its written form.
        bytes: usize,
    },
    /// It has too many hosts.
    #[error("it has {hosts} hosts, and may have {HOSTS_MAX}; name fewer")]
    TooManyHosts {
        /// How many were asked for.
        hosts: usize,
    },
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
