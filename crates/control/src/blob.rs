//! Which tenant has sent which bytes.

use cumulet_spec::id::{AppName, Digest, TenantId};
use serde::Serialize;
use thiserror::Error;

use crate::registry::RegistryError;
use crate::revision::RevisionNumber;

/// Bytes that a tenant has sent. That another one sent the same is nobody's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlobRow {
    /// Their digest.
    pub digest: Digest,
    /// How many there are.
    pub bytes: u64,
    /// When they were sent last, in µs since 1970.
    pub at_us: u64,
}

/// What a tenant has sent, in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BlobTotals {
    /// How many blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A blob was not removed.
#[derive(Debug, Error)]
#[error("blob {digest} of tenant {tenant} was not removed")]
pub struct BlobError {
    /// Whose it is.
    pub tenant: TenantId,
    /// The blob.
    pub digest: Digest,
    /// Why.
    #[source]
    pub kind: BlobErrorKind,
}

/// Why a blob was not removed.
#[derive(Debug, Error)]
pub enum BlobErrorKind {
    /// The tenant has not sent it.
    #[error("this tenant has not sent it; look at the list of blobs")]
    Unknown,
    /// A revision is made of it.
    #[error("revision {number} of app {app} is made of it; it can go once that revision is no longer kept")]
    InUse {
        /// The app.
        app: AppName,
        /// Its revision.
        number: RevisionNumber,
    },
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
