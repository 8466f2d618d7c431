//! What may be asked of the registry, and what comes of it.

use std::fmt;

use cumulet_spec::deploy::DeployId;
use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::revision::Revision;
use cumulet_spec::token::{Actor, Reach, Scope, TokenId};
use cumulet_spec::traffic::Traffic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::deploy::{DEPLOYS_UNFINISHED_MAX, NOTE_BYTES_MAX};
use crate::host::Host;
use crate::registry::RegistryError;
use crate::revision::{RevisionErrorKind, RevisionNumber};

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
    /// Who asked for it.
    pub by: Actor,
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
    /// Who asked for it.
    pub by: Actor,
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

/// What is written of a change in the log. Together with the revisions, the log says what every app and tenant is; of a
/// token it says that there is one, and never what would admit somebody.
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
        /// Which revisions answer from then on; none where this one answers everything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        traffic: Option<Traffic>,
        /// The deploy that made it ready.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deploy: Option<DeployId>,
    },
    /// Other revisions answer, or for other shares.
    Traffic {
        /// The app.
        app: AppName,
        /// Which revisions answer from then on.
        traffic: Traffic,
        /// Why: somebody set it, or what answered before answers again.
        reason: TrafficReason,
    },
    /// The app was removed.
    Remove {
        /// The app.
        app: AppName,
    },
    /// A tenant is there, with these hosts.
    Tenant {
        /// All hosts that it was granted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<Host>,
    },
    /// The tenant was removed.
    RemoveTenant,
    /// A token was made.
    Token {
        /// The token.
        token: TokenId,
        /// Whose things it may see and touch.
        reach: Reach,
        /// What it may do.
        scope: Scope,
    },
    /// The token was removed.
    RemoveToken {
        /// The token.
        token: TokenId,
    },
}

/// Why the traffic of an app changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficReason {
    /// Somebody set it.
    Set,
    /// What answered before answers again.
    Rollback,
    /// A revision passed the bounds of its rollout.
    TakenBack,
}

/// A change in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeRow {
    /// Its number.
    pub number: ChangeNumber,
    /// When it was asked for, in µs since 1970.
    pub at_us: u64,
    /// Whose things were changed; none for the node's own.
    pub tenant: Option<TenantId>,
    /// Who asked for it; nobody is known of those that an earlier release kept.
    pub by: Option<Actor>,
    /// What was changed.
    pub change: Change,
}

impl Change {
    /// The app that is changed, if it is one.
    #[must_use]
    pub fn app(&self) -> Option<&AppName> {
        match self {
            Self::Deploy { app, .. } | Self::Traffic { app, .. } | Self::Remove { app } => Some(app),
            Self::Tenant { .. } | Self::RemoveTenant | Self::Token { .. } | Self::RemoveToken { .. } => None,
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
    /// Another app of this tenant has the host.
    #[error("host {host} belongs to app {app}; remove it there first")]
    HostTaken {
        /// The host.
        host: Host,
        /// The app that has it.
        app: AppName,
    },
    /// An app of another tenant has the host. Whose it is is no business of the client's, so the text does not say it.
    #[error("host {host} is in use elsewhere; take another one, or ask the admin of this node")]
    HostElsewhere {
        /// The host.
        host: Host,
        /// Who owns the app that has it, for the operator.
        tenant: TenantId,
        /// The app that has it, for the operator.
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
    /// A revision that is to answer is not kept.
    #[error("revision {} is not kept; look at the list of revisions, or deploy it again", revision.short())]
    RevisionGone {
        /// The revision.
        revision: Digest,
    },
    /// A revision that is to answer was never made ready.
    #[error("revision {number} was never made ready; deploy it again")]
    RevisionNotReady {
        /// The revision.
        number: RevisionNumber,
    },
    /// The revision that is to answer cannot be told.
    #[error("the revision to go back to cannot be told")]
    Revision(#[source] RevisionErrorKind),
    /// Nothing else answered before.
    #[error("nothing else answered before; name the revision to go back to, as in r7")]
    NothingBefore,
    /// What answered before cannot be read.
    #[error("what answered before is damaged; name the revision to go back to, as in r7")]
    BeforeDamaged,
    /// The note is too long.
    #[error("its note is {bytes} bytes long, and may have {NOTE_BYTES_MAX}; say less")]
    NoteTooLong {
        /// The size of the note.
        bytes: usize,
    },
    /// There is a deploy of this id.
    #[error("there is a deploy {id} already; take another id")]
    DeployExists {
        /// The id.
        id: DeployId,
    },
    /// Too many deploys are on their way.
    #[error("{DEPLOYS_UNFINISHED_MAX} deploys of this tenant are on their way; wait for one to end")]
    TooManyDeploys,
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
