//! Values under keys.
//!
//! The semantics are those of `wasi:keyvalue@0.2.0-draft2`, the same on every backend: a write is durable on the backend's
//! own terms before it is acknowledged (for the embedded store: synced to disk), a swap is linearizable, a counter is kept
//! as decimal text.
//!
//! What a caller may ask for is checked once, in `bounds.rs`, before any backend sees it.

mod bounds;
mod counter;
pub mod nats;
mod open_error;
pub mod redis;
pub mod sqlite;
mod tls;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::open_error::{OpenError, OpenErrorKind};

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 512;
/// The largest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 1_000_000;
/// Keys in one page of a listing.
pub const PAGE_KEYS_MAX: usize = 1_000;
/// Keys or pairs in one batch.
pub const BATCH_MAX: usize = 1_000;
/// Bytes of keys and values in one batch, and of the values that one batch returns.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

/// One bucket of one app.
///
/// # Cancel safety
/// Dropping a future leaves a write either done or not done, never half done; whoever drops it does not learn which.
#[async_trait]
pub trait Bucket: Send + Sync + std::fmt::Debug {
    /// The value under a key.
    async fn get(&self, key: String) -> Result<Option<Bytes>, BucketError>;

    /// Sets the value under a key.
    async fn set(&self, key: String, value: Bytes) -> Result<(), BucketError>;

    /// Removes a key; one that is not there is no error.
    async fn delete(&self, key: String) -> Result<(), BucketError>;

    /// Whether a key has a value.
    async fn exists(&self, key: String) -> Result<bool, BucketError>;

    /// Some keys, and where to go on. Each key that is there during the whole listing appears exactly once if the
    /// backend lists in order, and at least once otherwise.
    async fn list_keys(&self, cursor: Option<String>) -> Result<KeyPage, BucketError>;

    /// Adds to a counter, which starts at 0, and returns its new value. A value is a counter if it is the shortest
    /// decimal text of an `i64`, such as `-12`.
    async fn increment(&self, key: String, delta: i64) -> Result<i64, BucketError>;

    /// The value under a key, with what [`Bucket::swap`] needs to notice that it changed.
    async fn read(&self, key: String) -> Result<Snapshot, BucketError>;

    /// Sets a value if nobody has changed it since `read` gave `seen`; otherwise tells what is there now.
    ///
    /// Where the backend keeps versions, a value that was written anew counts as changed though its bytes be the same.
    /// A key that is not there need not have a history: one that came and went may count as unchanged.
    async fn swap(&self, key: String, seen: Snapshot, value: Bytes) -> Result<Swap, BucketError>;

    /// The values under several keys, in the order of the keys; at most [`BATCH_BYTES_MAX`] of them.
    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Bytes>>, BucketError>;

    /// Sets several values; where the backend can, all or none of them. Of a key that appears twice the last value counts.
    async fn set_many(&self, pairs: Vec<(String, Bytes)>) -> Result<(), BucketError>;

    /// Removes several keys; where the backend can, all or none of them.
    async fn delete_many(&self, keys: Vec<String>) -> Result<(), BucketError>;
}

/// Some keys of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    /// At most [`PAGE_KEYS_MAX`] keys.
    pub keys: Vec<String>,
    /// Where to go on; `None` at the end.
    pub cursor: Option<String>,
}

/// A value as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The value, if the key had one.
    pub value: Option<Bytes>,
    /// What the backend compares by, besides the value.
    pub version: u64,
}

/// What became of a swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Swap {
    /// The new value is there.
    Done,
    /// Somebody else was first: this is there now.
    Changed(Snapshot),
}

/// Why an operation on a bucket failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum BucketError {
    /// A key that is empty or too long.
    #[error("a key must have 1 to {KEY_BYTES_MAX} bytes")]
    Key,
    /// A value that is too large.
    #[error("a value must have at most {max} bytes")]
    Value {
        /// The most that this backend takes.
        max: usize,
    },
    /// Too many keys in one call, or too many bytes under them.
    #[error("a batch must have at most {BATCH_MAX} keys and {BATCH_BYTES_MAX} bytes")]
    Batch,
    /// The value is no counter, or would leave the range of one.
    #[error("the value is not a counter that can be changed by that much")]
    Counter,
    /// A cursor that this bucket did not give.
    #[error("the cursor is not one of this bucket")]
    Cursor,
    /// The store is full.
    #[error("the store is full")]
    Full,
    /// The backend cannot be reached or did not answer in time; trying again later may help. A write that ends with
    /// this may have been done.
    #[error("the store cannot be reached")]
    Unavailable,
    /// The backend said no. The text is for the operator.
    #[error("the store failed: {0}")]
    Backend(String),
}

impl BucketError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable)
    }
}
