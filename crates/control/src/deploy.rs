//! Deploys: a revision on its way to answer requests.

use cumulet_spec::deploy::{DeployFailure, DeployId, DeployPhase};
use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::revision::Revision;
use cumulet_spec::token::Actor;
use cumulet_spec::traffic::Percent;
use serde::Serialize;
use thiserror::Error;

use crate::change::{ChangeErrorKind, ChangeNumber, IdempotencyKey};
use crate::host::Host;
use crate::registry::RegistryError;
use crate::revision::RevisionNumber;

/// Deploys of one app that are kept once they have ended.
pub const DEPLOYS_KEPT_MAX: u32 = 64;
/// Deploys of one tenant that are kept once they have ended, however many names of apps it makes up.
pub const TENANT_DEPLOYS_KEPT_MAX: u32 = 10_000;
/// Deploys of one tenant that have not ended.
pub const DEPLOYS_UNFINISHED_MAX: u32 = 64;
/// The longest note on a revision, in bytes.
pub const NOTE_BYTES_MAX: usize = 512;

/// A revision is written down, to be made ready and then to answer.
#[derive(Debug, Clone)]
pub struct BeginDeploy {
    /// What the deploy is called from now on; random.
    pub id: DeployId,
    /// Who owns the app.
    pub tenant: TenantId,
    /// What the app is to be; the app's name is in it.
    pub revision: Revision,
    /// All hosts of this revision.
    pub hosts: Vec<Host>,
    /// The share of the requests that it gets once it is ready; without one it takes the place of everything, header rules
    /// too.
    pub share: Option<Percent>,
    /// What is said of it, at most [`NOTE_BYTES_MAX`].
    pub note: Option<String>,
    /// Who asked for it.
    pub by: Actor,
    /// When this was asked for, in µs since 1970.
    pub at_us: u64,
    /// What the client calls this request, if it may send it again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The generation that the client saw last, if it minds what came between: now, and when it goes live.
    pub expected_generation: Option<ChangeNumber>,
}

/// What the beginning of a deploy came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The deploy; an earlier one, if the request was sent again.
    pub id: DeployId,
    /// The number of the revision.
    pub number: RevisionNumber,
    /// Its identity.
    pub revision: Digest,
    /// Whether it began just now, so that somebody has to see to it.
    pub is_new: bool,
}

/// A deploy, on its way or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeployRow {
    /// What it is called.
    pub id: DeployId,
    /// Who owns the app.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// The identity of the revision.
    pub revision: Digest,
    /// Its number.
    pub number: RevisionNumber,
    /// Who asked for it.
    pub by: Actor,
    /// When it was asked for, in µs since 1970.
    pub at_us: u64,
    /// How far it came.
    pub phase: DeployPhase,
    /// When it reached each phase, in µs since 1970; the oldest first.
    pub phases: Vec<(DeployPhase, u64)>,
    /// Why it was given up.
    pub failure: Option<DeployFailure>,
    /// The share of the requests that was asked for; none for everything.
    pub share: Option<Percent>,
    /// The generation that the client expects when it goes live.
    pub expected_generation: Option<ChangeNumber>,
    /// What the client called the request.
    pub idempotency_key: Option<String>,
    /// The generation that the app had once it was live.
    pub generation: Option<ChangeNumber>,
}

/// A deploy did not go on.
#[derive(Debug, Error)]
#[error("deploy {id} did not go on")]
pub struct DeployError {
    /// The deploy.
    pub id: DeployId,
    /// Why.
    #[source]
    pub kind: DeployErrorKind,
}

/// Why a deploy did not go on.
#[derive(Debug, Error)]
pub enum DeployErrorKind {
    /// There is none.
    #[error("there is none of that id; look at the list of deploys")]
    Unknown,
    /// It has ended.
    #[error("it has ended as {phase}; deploy again")]
    Ended {
        /// As what.
        phase: DeployPhase,
    },
    /// A phase was left out.
    #[error("it is {found}, from where it cannot become {asked}; go through the phases in order")]
    Order {
        /// How far it is.
        found: DeployPhase,
        /// What it was to become.
        asked: DeployPhase,
    },
    /// The app cannot become what was asked for.
    #[error(transparent)]
    Change(#[from] ChangeErrorKind),
}

impl From<RegistryError> for DeployErrorKind {
    fn from(error: RegistryError) -> Self {
        Self::Change(error.into())
    }
}
