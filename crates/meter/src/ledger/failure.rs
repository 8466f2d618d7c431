//! What can go wrong with the ledger, and what an operator can do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Something of the ledger could not be opened, written or read.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct LedgerError {
    /// What was attempted, as a verb.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub kind: LedgerErrorKind,
}

/// Why something of the ledger could not be opened, written or read.
#[derive(Debug, Error)]
pub enum LedgerErrorKind {
    /// The file system refused; nothing is lost, and a later attempt may succeed.
    #[error(transparent)]
    File(io::Error),
    /// The database refused; nothing is lost, and a later attempt may succeed.
    #[error(transparent)]
    Database(rusqlite::Error),
    /// Another process has the ledger open.
    #[error("another node uses it: stop that node, or give this one a data folder of its own")]
    InUse,
    /// The file is of another format.
    #[error("it is of format {found}, this version reads format {known}: use the version that wrote it")]
    Format {
        /// The format of the file.
        found: u64,
        /// The format that this version reads.
        known: u64,
    },
    /// The database is not what it should be. Nothing of the ledger can be used without it.
    #[error("{what}: restore the whole ledger folder from a copy, or rename the folder to start with an empty ledger")]
    DatabaseDamaged {
        /// What is wrong.
        what: &'static str,
    },
    /// The ring or a segment is not what it should be.
    #[error("{what}: restore the whole ledger folder from a copy, or rename this file to go on without it")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// A record in a segment is not what it should be.
    #[error("the record at byte {offset} is damaged: the sums, which stand apart, still hold its usage")]
    RecordDamaged {
        /// Where it begins.
        offset: u64,
    },
    /// The file and the database are not of the same ledger, or not of the same time.
    #[error("{what}: restore the whole ledger folder from one copy, or rename this file to go on without it")]
    Disagrees {
        /// In what they disagree.
        what: &'static str,
    },
    /// There is no ledger in the folder.
    #[error("there is no ledger: a node makes one when it first starts with this data folder")]
    Missing,
    /// A bound is reached.
    #[error("the ledger holds as many {what} as it can")]
    Full {
        /// What there are too many of.
        what: &'static str,
    },
    /// A test ends the process here.
    #[cfg(test)]
    #[error("killed at {0}")]
    Killed(String),
}

impl LedgerError {
    pub(super) fn new(action: &'static str, path: &Path, kind: LedgerErrorKind) -> Self {
        Self { action, path: path.to_path_buf(), kind }
    }

    /// For `map_err` on what the file system answers.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::new(action, path, LedgerErrorKind::File(error))
    }

    /// For `map_err` on what the database answers.
    pub(super) fn database(action: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        move |error| Self::new(action, path, database_kind(error))
    }
}

fn database_kind(error: rusqlite::Error) -> LedgerErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => LedgerErrorKind::DatabaseDamaged { what: "it is not a database" },
        Some(ErrorCode::DatabaseCorrupt) => LedgerErrorKind::DatabaseDamaged { what: "the database is damaged" },
        Some(_) | None => LedgerErrorKind::Database(error),
    }
}
