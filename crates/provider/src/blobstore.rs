//! Objects in containers.
//!
//! The semantics are those of `wasi:blobstore@0.2.0-draft`, the same on a folder and on an S3-compatible server: an object
//! appears whole or not at all, and replaces the one before it.

mod chunks;
pub mod folder;
mod intake;
mod name;
pub mod s3;

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name of an object, in bytes.
pub const NAME_BYTES_MAX: usize = 1_024;
/// The largest object, in bytes.
pub const OBJECT_BYTES_MAX: u64 = 1 << 30;
/// Names in one page of a listing.
pub const PAGE_NAMES_MAX: usize = 1_000;

/// A body on its way, in chunks of at most 64 KiB; an error ends it.
pub type Chunks = BoxStream<'static, Result<Bytes, ContainerError>>;

/// One container of one app.
///
/// # Cancel safety
/// Dropping the future of a write leaves the old object, or none; dropped while the last step is under way, the new one
/// may appear, and then whole. Dropping the future of a deletion leaves any of the names deleted.
#[async_trait]
pub trait Container: Send + Sync + std::fmt::Debug {
    /// What is known of the container.
    async fn info(&self) -> Result<ContainerInfo, ContainerError>;

    /// Part of an object, from `first` to `last` inclusive; `last` may lie beyond the end, and `first` may not, except
    /// that 0 is in the range of an empty object. The bytes are those of one version, whoever replaces it meanwhile.
    async fn read(&self, name: String, first: u64, last: u64) -> Result<Reading, ContainerError>;

    /// Creates or replaces an object. A body that ends with an error, or is larger than [`OBJECT_BYTES_MAX`], leaves
    /// what was there.
    async fn write(&self, name: String, body: Chunks) -> Result<(), ContainerError>;

    /// Some names in the order of their bytes, after `after`, which need not be the name of an object.
    async fn list(&self, after: Option<String>) -> Result<NamePage, ContainerError>;

    /// What is known of an object.
    async fn object(&self, name: String) -> Result<ObjectInfo, ContainerError>;

    /// Removes objects; one that is not there is no error.
    async fn delete(&self, names: Vec<String>) -> Result<(), ContainerError>;
}

/// Part of an object that is being read.
pub struct Reading {
    /// Bytes that will come.
    pub size: u64,
    /// They.
    pub chunks: Chunks,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("size", &self.size).finish_non_exhaustive()
    }
}

/// What is known of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerInfo {
    /// When it was made, in seconds since 1970; 0 where the backend does not say.
    pub created_at_s: u64,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// When it was written, in seconds since 1970.
    pub created_at_s: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// Some names of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamePage {
    /// At most [`PAGE_NAMES_MAX`] names.
    pub names: Vec<String>,
    /// Whether there are more after the last of them.
    pub more: bool,
}

/// Why an operation on a container failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ContainerError {
    /// A name that is empty, too long, has a part that a path cannot have (`.`, `..`, an empty one), or has a character
    /// that a listing cannot carry (a control character, U+FFFE, U+FFFF).
    #[error("{0:?} cannot be the name of an object")]
    Name(String),
    /// There is no such object.
    #[error("there is no object {0:?}")]
    Missing(String),
    /// The object is too large.
    #[error("an object must have at most {max} bytes")]
    TooLarge {
        /// The most that is taken.
        max: u64,
    },
    /// The range lies outside the object.
    #[error("the range lies outside the object")]
    Range,
    /// The body broke off.
    #[error("the body broke off")]
    Broken,
    /// The backend cannot be reached; trying again later may help.
    #[error("the blob store cannot be reached")]
    Unavailable,
    /// The backend said no. The text is for the operator.
    #[error("the blob store failed: {0}")]
    Backend(String),
}

/// Why a container cannot be opened. No text of it holds a credential.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder cannot be made, read or written.
    #[error("the folder {} cannot be used", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds other things.
    #[error("the folder {} holds files that are not of a container", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The folder was written by a version of Cumulet that this one does not know.
    #[error("the folder {} has a format that this version does not know", path.display())]
    Format {
        /// The folder.
        path: PathBuf,
    },
    /// The address of a bucket is wrong.
    #[error("the address of the bucket is wrong: {0}")]
    Address(&'static str),
    /// There is nothing to sign requests with.
    #[error("the bucket needs credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or KEY:SECRET@ in its address")]
    Credentials,
    /// The client of the bucket cannot be made. The text is for the operator.
    #[error("the client of the bucket cannot be made: {0}")]
    Client(String),
}
