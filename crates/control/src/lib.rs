//! Desired state: what is deployed, as a numbered durable log of changes.
//!
//! Nothing here executes, listens or reads a clock: a change says when it was made. Everything blocks, for microseconds
//! where it reads and for a sync of the disk where it writes.

mod change;
mod host;
mod registry;

pub use change::{
    Change, ChangeError, ChangeErrorKind, ChangeNumber, Deploy, Deployed, HOSTS_MAX, IdempotencyKey,
    IdempotencyKeyError, REVISION_BYTES_MAX, Remove,
};
pub use host::Host;
pub use registry::{AppRow, DeployedApp, FindError, PAGE_APPS_MAX, Registry, RegistryError, RegistryErrorKind};
