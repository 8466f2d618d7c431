//! Buckets in a file of the app's own.
//!
//! One file holds all buckets of an app. A write is synced to the disk before it is acknowledged. Writes that wait at the
//! same time go into one transaction, so that they share one sync; reads go past them, on connections of their own, and
//! see what was acknowledged.

mod bucket;
mod entries;
mod failure;
mod file;
mod group;
mod queue;
mod readers;
mod writer;

use std::path::Path;
use std::sync::Arc;

use self::bucket::SqliteBucket;
use self::queue::Queue;
use self::readers::Readers;
use super::{Bucket, OpenError, bounds};

/// The largest file, in bytes. The log beside it may reach a few MiB more.
pub const FILE_BYTES_MAX: u64 = 1 << 30;

/// An open file.
///
/// It holds one or more connections for reading, and a thread for writing only while there is something to write.
/// Dropping it waits until the write that is under way is on the disk; writes that nobody waits for any more are not
/// done.
#[derive(Debug)]
pub struct Store {
    readers: Arc<Readers>,
    queue: Arc<Queue>,
}

impl Store {
    /// Opens the file, or makes it, together with its folder. Blocks on the disk.
    ///
    /// # Errors
    /// When the file cannot be used, is something else, or was written by a later version.
    pub fn open(path: &Path) -> Result<Arc<Self>, OpenError> {
        Self::open_sized(path, FILE_BYTES_MAX)
    }

    /// The same, with a bound of its own on the size of the file. One that is larger already still takes deletions.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_sized(path: &Path, bytes_max: u64) -> Result<Arc<Self>, OpenError> {
        let connection = file::create(path).map_err(|kind| OpenError::file(path, kind))?;
        Ok(Arc::new(Self {
            readers: Arc::new(Readers::new(path, connection)),
            queue: Arc::new(Queue::new(path, bytes_max)),
        }))
    }

    /// A bucket of this file. It needs no making: it is there once it has a key.
    #[must_use]
    pub fn bucket(self: &Arc<Self>, name: &str) -> Arc<dyn Bucket> {
        bounds::bounded(SqliteBucket::new(Arc::clone(self), name))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.queue.close();
    }
}
