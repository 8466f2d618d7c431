//! Connections for reading.
//!
//! What reads one key does so at once, on the thread that asks: the page is nearly always in memory, and then the whole
//! read takes a few µs, less than a way to another thread and back. Where the page has to come from the disk, that thread
//! waits for it. What reads many keys goes to the threads for blocking work.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::super::BucketError;
use super::failure::bucket_error;
use super::file;

/// Connections that are kept open. More threads that read at the same time open more, and close them again.
const KEPT_MAX: usize = 4;
/// Reads of many keys at the same time.
const LONG_READS_MAX: usize = 2;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    long_reads: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path, first: Connection) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::new(vec![first]),
            long_reads: Arc::new(Semaphore::new(LONG_READS_MAX)),
        }
    }

    /// Reads at once, on this thread.
    pub(super) fn read<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, BucketError> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => file::reader(&self.path).map_err(|error| bucket_error(&error))?,
        };
        // A connection that failed is not used again.
        let result = run(&connection).map_err(|error| bucket_error(&error))?;
        let mut idle = self.idle.lock();
        if idle.len() < KEPT_MAX {
            idle.push(connection);
        }
        Ok(result)
    }

    /// Reads on a thread for blocking work.
    ///
    /// # Cancel safety
    /// The read goes on to its end; its result is dropped.
    pub(super) async fn read_long<T: Send + 'static>(
        self: &Arc<Self>,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BucketError> {
        let permit = Arc::clone(&self.long_reads).acquire_owned().await.map_err(|_| BucketError::Unavailable)?;
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let result = readers.read(run);
            drop(permit);
            result
        });
        reading.await.map_err(|error| BucketError::Backend(format!("a read broke off: {error}")))?
    }
}
