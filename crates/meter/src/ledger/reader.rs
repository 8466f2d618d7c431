//! Reading the ledger, beside the node that writes it or after it has ended.

mod query;
mod records;

use std::path::{Path, PathBuf};

use cumulet_spec::id::{AppName, TenantId};
use cumulet_spec::outcome::Outcome;
use rusqlite::Connection;

pub use self::query::{Dimension, Query, SumRow};
pub use self::records::Records;

use super::database::{self, natural, whole};
use super::failure::LedgerError;
use super::folder;
use super::minute::Minute;
use super::record::outcome_code;

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
    /// What is not billed ([`Outcome::billed`]) does not count; neither does what is still in the ring.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn executed_since(&self, tenant: &TenantId, app: Option<&AppName>, minute: Minute) -> Result<u64, LedgerError> {
        let billed: Vec<String> =
            Outcome::ALL.into_iter().filter(|outcome| outcome.billed()).map(|o| outcome_code(o).to_string()).collect();
        let text = format!(
            "WITH RECURSIVE minutes (minute) AS (
                SELECT min(minute) FROM minute_sum WHERE minute >= ?3
                UNION ALL
                SELECT (SELECT min(minute) FROM minute_sum WHERE minute > minutes.minute) FROM minutes
                WHERE minutes.minute IS NOT NULL
            )
            SELECT coalesce(sum(executed_us), 0) FROM minutes
            CROSS JOIN subject
            CROSS JOIN minute_sum ON minute_sum.minute = minutes.minute AND minute_sum.subject = subject.id
            WHERE tenant = ?1 AND (?2 IS NULL OR app = ?2) AND outcome IN ({})",
            billed.join(", ")
        );
        let read = || -> rusqlite::Result<u64> {
            let names = (tenant.as_str(), app.map(AppName::as_str), whole(minute.0));
            self.connection.prepare_cached(&text)?.query_row(names, |row| natural(row, 0))
        };
        read().map_err(self.unreadable())
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
