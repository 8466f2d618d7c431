//! One file, and the connections to it that wait to be used again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::lease::Lease;
use super::session::Session;
use super::{Connection, StatementError};

/// Connections to one file at a time; who comes later waits.
const CONNECTIONS_MAX: usize = 32;
/// Statements that run on one file at the same time, each on a thread. A statement that waits for a lock holds none.
const THREADS_MAX: usize = 4;
/// Connections that wait to be used again.
const IDLE_MAX: usize = 8;

/// What a database may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement may run.
    pub statement_time: Duration,
    /// How long a statement waits for others: for a lock, for a free connection, for a thread.
    pub busy_time: Duration,
    /// How large the file may grow, in bytes. Its log comes on top.
    pub size_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { statement_time: Duration::from_secs(5), busy_time: Duration::from_secs(5), size_bytes_max: 1 << 30 }
    }
}

/// One app's database in one file.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    limits: Limits,
    idle: Mutex<Vec<Session>>,
    connections: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

/// A connection that an invocation holds, with its place among [`CONNECTIONS_MAX`].
#[derive(Debug)]
pub(super) struct Held {
    pub(super) session: Session,
    place: OwnedSemaphorePermit,
}

/// Why a database could not be opened.
#[derive(Debug, Error)]
#[error("cannot open the database {}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What went wrong.
    #[source]
    pub kind: OpenErrorKind,
}

/// What went wrong while a database was opened.
#[derive(Debug, Error)]
pub enum OpenErrorKind {
    /// A folder or the file could not be made.
    #[error("the file cannot be made")]
    File(#[from] io::Error),
    /// SQLite refused it.
    #[error("SQLite refuses it")]
    Sqlite(#[from] rusqlite::Error),
    /// The file cannot have a write-ahead log, as on some network file systems.
    #[error("its journal stays {0:?} and cannot be a write-ahead log")]
    Journal(String),
}

impl Database {
    /// Opens a file, and makes it with the folders above it if it is not there. Blocks.
    ///
    /// # Errors
    /// When the file cannot be made, or is no database.
    pub fn open(path: &Path) -> Result<Arc<Self>, OpenError> {
        Self::open_with(path, Limits::default())
    }

    /// Like [`Database::open`], with other limits.
    ///
    /// # Errors
    /// When the file cannot be made, or is no database.
    pub fn open_with(path: &Path, limits: Limits) -> Result<Arc<Self>, OpenError> {
        let first = make(path).map_err(OpenErrorKind::from).and_then(|path| {
            let session = Session::open(&path, limits)?;
            Ok((path, session))
        });
        let (path, session) = first.map_err(|kind| OpenError { path: path.to_owned(), kind })?;
        Ok(Arc::new(Self {
            path,
            limits,
            idle: Mutex::new(vec![session]),
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            threads: Arc::new(Semaphore::new(THREADS_MAX)),
        }))
    }

    /// A connection for one invocation. It takes its place among the others with its first statement.
    #[must_use]
    pub fn connect(self: &Arc<Self>) -> Arc<dyn Connection> {
        Arc::new(Lease::new(Arc::clone(self)))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Waits for a place among the connections.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, StatementError> {
        self.wait_for(&self.connections).await
    }

    /// Waits for one of the threads.
    pub(super) async fn thread(&self) -> Result<OwnedSemaphorePermit, StatementError> {
        self.wait_for(&self.threads).await
    }

    /// A connection that nobody else uses. Blocks.
    pub(super) fn hold(&self, place: OwnedSemaphorePermit) -> Result<Held, StatementError> {
        let idle = self.idle.lock().pop();
        let session = match idle {
            Some(session) => session,
            None => Session::open(&self.path, self.limits).map_err(|kind| {
                let source = std::error::Error::source(&kind).map(|source| format!(": {source}")).unwrap_or_default();
                StatementError::Backend(format!("{kind}{source}"))
            })?,
        };
        Ok(Held { session, place })
    }

    /// Takes a connection back. What is open on it is rolled back on a thread where that may block.
    pub(super) fn take_back(self: Arc<Self>, held: Held) {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || self.clean(held))),
            Err(_) => self.clean(held),
        }
    }

    fn clean(&self, held: Held) {
        let Held { session, place } = held;
        if let Some(session) = session.into_clean() {
            let mut idle = self.idle.lock();
            if idle.len() < IDLE_MAX {
                idle.push(session);
            }
        }
        drop(place);
    }

    async fn wait_for(&self, semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StatementError> {
        match tokio::time::timeout(self.limits.busy_time, Arc::clone(semaphore).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(StatementError::Busy),
        }
    }
}

/// Makes the file, for its owner alone; SQLite gives its log the same mode. The path is absolute, so that SQLite does
/// not take one that begins with `file:` for a URI.
fn make(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    drop(OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path)?);
    File::open(folder)?.sync_all()?;
    Ok(path)
}
