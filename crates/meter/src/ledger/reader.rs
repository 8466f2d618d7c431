//! Reading the ledger, beside the node that writes it or after it has ended.

mod executed;
mod query;
mod records;

use std::path::{Path, PathBuf};

use cumulet_spec::id::{AppName, TenantId};
use rusqlite::Connection;

pub use self::query::{Dimension, Query, SumRow};
pub use self::records::Records;

use super::database;
use super::failure::LedgerError;
use super::folder;
use super::minute::Minute;

/// A ledger that is only read. It sees what was drained, which is what is on the disk.
#[derive(Debug)]
pub struct LedgerReader {
    folder: PathBuf,
    path: PathBuf,
    connection: Connection,
}

impl LedgerReader {
    /// Opens the ledger in a data folder. It needs no lock, and holds no writer up.
    ///
    /// # Errors
    /// When there is none, or it cannot be read, is damaged or of another format.
    pub fn open(data: &Path) -> Result<Self, LedgerError> {
        let folder = folder::ledger(data);
        let path = folder::database(&folder);
        let connection = database::reader(&path)?;
        Ok(Self { folder, path, connection })
    }

    /// When the last drain was that moved anything, in microseconds since the Unix epoch; 0 before the first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn drained_us(&self) -> Result<u64, LedgerError> {
        Ok(database::state(&self.connection).map_err(self.unreadable())?.drained_us)
    }

    /// The sums that were asked for, in the order of their dimensions.
    ///
    /// # Errors
    /// When the database cannot be read, or holds what this version does not know.
    pub fn sums(&self, query: &Query) -> Result<Vec<SumRow>, LedgerError> {
        query::run(&self.connection, query).map_err(self.unreadable())
    }

    /// Executed time in microseconds that an app, or a whole tenant, is billed for from a minute on.
    ///
    /// It takes a look-up for each of the app's revisions and hours, and for the minutes of a begun hour. What is not billed
    /// ([`Outcome::billed`](cumulet_spec::outcome::Outcome::billed)) does not count; neither does what is still in the ring.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn executed_since(&self, tenant: &TenantId, app: Option<&AppName>, minute: Minute) -> Result<u64, LedgerError> {
        executed::since(&self.connection, tenant, app, minute).map_err(self.unreadable())
    }

    /// Every usage record that is kept, in the order in which it was drained.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn records(&self) -> Result<Records<'_>, LedgerError> {
        Records::new(self)
    }

    fn unreadable(&self) -> impl FnOnce(rusqlite::Error) -> LedgerError {
        LedgerError::database("read", &self.path)
    }
}
