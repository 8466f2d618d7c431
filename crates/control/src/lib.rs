//! Desired state: what is deployed and who may change it, as a numbered durable log of changes.
//!
//! Nothing here executes, listens or reads a clock: a change says when it was made. Everything blocks, for microseconds
//! where it reads and for a sync of the disk where it writes. What a deploy still needs is a pure function of what was
//! asked for and of what is there: [`reconcile`].

mod audit;
mod blob;
mod change;
mod deploy;
mod host;
mod reconcile;
mod registry;
mod revision;
mod tenant;
mod token;
mod traffic;
mod trial;

pub use audit::{
    AUDIT_ANONYMOUS_MAX, AUDIT_KNOWN_MAX, AUDIT_TEXT_BYTES_MAX, AuditEntry, AuditFilter, AuditNumber, AuditOutcome,
    AuditRow,
};
pub use blob::{BlobError, BlobErrorKind, BlobRow, BlobTotals};
pub use change::{
    Change, ChangeError, ChangeErrorKind, ChangeNumber, ChangeRow, Deploy, Deployed, HOSTS_MAX, IdempotencyKey,
    IdempotencyKeyError, REVISION_BYTES_MAX, Remove, TrafficReason,
};
pub use deploy::{
    BeginDeploy, Begun, DEPLOYS_KEPT_MAX, DEPLOYS_UNFINISHED_MAX, DeployError, DeployErrorKind, DeployRow,
    NOTE_BYTES_MAX, TENANT_DEPLOYS_KEPT_MAX,
};
pub use host::Host;
pub use reconcile::{DEPLOY_TIME_MAX, DeployStep, DesiredDeploy, Observation, ObservedDeploy, reconcile};
pub use registry::{
    AppRow, BlobsInUse, DeployedApp, DeployedArm, FindError, PAGE_APPS_MAX, Registry, RegistryError, RegistryErrorKind,
};
pub use revision::{
    REVISIONS_KEPT_MAX, RevisionError, RevisionErrorKind, RevisionNumber, RevisionRef, RevisionRefError, RevisionRow,
};
pub use tenant::{PutTenant, TENANT_HOSTS_MAX, TenantChanged, TenantError, TenantErrorKind, TenantRow};
pub use token::{Bearer, NewToken, REACH_TOKENS_MAX, TokenError, TokenErrorKind, TokenRefused, TokenRow};
pub use traffic::{Rollback, SetTraffic, TrafficSet};
pub use trial::{Answered, TAKE_BACK_ACTION, TakeBack, TrialRun, Verdict};
