//! Connections for reading. They see what was committed last, and wait for no writer.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::file;

/// Connections that are kept open. More threads that read at the same time open more, and close them again.
const KEPT_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path, first: Connection) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(vec![first]) }
    }

    pub(super) fn read<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.idle.lock().pop();
        let connection = idle.map_or_else(|| file::reader(&self.path), Ok)?;
        // A connection that failed is not used again.
        let result = run(&connection)?;
        let mut idle = self.idle.lock();
        if idle.len() < KEPT_MAX {
            idle.push(connection);
        }
        Ok(result)
    }
}
