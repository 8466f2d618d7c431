//! What SQLite's errors mean to whoever called.

use rusqlite::{ErrorCode, ffi};

use super::StatementError;
use super::authorizer::Authorizer;
use super::database::Limits;

/// Why a statement failed, and whether to try it again.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: StatementError,
    /// Somebody else holds a lock that they will give back; the statement has done nothing.
    pub(super) is_blocked: bool,
}

impl Failure {
    /// What an error of SQLite means.
    pub(super) fn of(error: rusqlite::Error, authorizer: &Authorizer, limits: &Limits) -> Self {
        let (cause, text) = match error {
            rusqlite::Error::SqliteFailure(cause, text) => {
                let text = text.unwrap_or_else(|| cause.to_string());
                (cause, text)
            }
            rusqlite::Error::SqlInputError { error, msg, .. } => (error, msg),
            rusqlite::Error::MultipleStatement => {
                return Self::statement("one call runs one statement, and here are several");
            }
            other => return Self::statement(&other.to_string()),
        };
        // SQLite has a code for what was refused, and does not use it for functions.
        if let Some(what) = authorizer.take_denied() {
            return Self { error: StatementError::Denied(what), is_blocked: false };
        }
        let error = match cause.code {
            ErrorCode::AuthorizationForStatementDenied => StatementError::Denied(text),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StatementError::Busy,
            ErrorCode::OperationInterrupted => {
                StatementError::TooLong(u64::try_from(limits.statement_time.as_millis()).unwrap_or(u64::MAX))
            }
            ErrorCode::DiskFull => StatementError::Full,
            ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OutOfMemory => StatementError::Backend(text),
            _ => StatementError::Statement(text),
        };
        // A snapshot that is too old to write from stays so, however long one waits.
        let is_blocked = cause.code == ErrorCode::DatabaseBusy && cause.extended_code != ffi::SQLITE_BUSY_SNAPSHOT;
        Self { error, is_blocked }
    }

    pub(super) fn statement(text: &str) -> Self {
        Self { error: StatementError::Statement(text.to_owned()), is_blocked: false }
    }

    pub(super) fn too_large() -> Self {
        Self { error: StatementError::TooLarge, is_blocked: false }
    }
}
