//! What can go wrong with logs, and what an operator can do about it.

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A log could not be read or written.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct LogError {
    /// What was attempted, as a verb.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub kind: LogErrorKind,
}

/// Why a log could not be read or written.
#[derive(Debug, Error)]
pub enum LogErrorKind {
    /// The file system refused.
    #[error(transparent)]
    File(io::Error),
    /// The segment is of another format.
    #[error("it is of format {found}, this release reads format {known}")]
    Format {
        /// The format of the file.
        found: u32,
        /// The format that this release reads.
        known: u32,
    },
    /// There are no logs in the folder.
    #[error("there are no logs: `cumulet node` keeps them in its data folder")]
    Missing,
    /// An entry of the segment is not what it should be.
    #[error("the entry at byte {offset} is damaged; what follows it in this segment is left out")]
    EntryDamaged {
        /// Where it begins.
        offset: u64,
    },
    /// The segment is not what it should be.
    #[error("{what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
}

impl LogError {
    /// For `map_err` on what the file system answers.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { action, path: path.to_owned(), kind: LogErrorKind::File(error) }
    }
}
