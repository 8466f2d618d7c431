//! What can be wrong with the registry's file, and what to do then.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::blob::BlobErrorKind;
use crate::change::ChangeErrorKind;
use crate::deploy::DeployErrorKind;
use crate::tenant::TenantErrorKind;
use crate::token::TokenErrorKind;

/// The registry does not work.
#[derive(Debug, Error)]
#[error("cannot use the registry {}", path.display())]
pub struct RegistryError {
    /// Its file.
    pub path: PathBuf,
    /// What is wrong.
    #[source]
    pub kind: RegistryErrorKind,
}

/// What is wrong with the registry.
#[derive(Debug, Error)]
pub enum RegistryErrorKind {
    /// A later release wrote it.
    #[error("its format is {found}, and this release knows {known}; run the later release")]
    Newer {
        /// The format of the file.
        found: i64,
        /// The latest that this release knows.
        known: i64,
    },
    /// It is something else.
    #[error("it is not a registry, or its beginning is damaged; put back a copy, or move it away and deploy again")]
    Foreign,
    /// A part of it is damaged.
    #[error("a part of it is damaged; other apps are served on; put back a copy, or deploy the app again")]
    Damaged(#[source] rusqlite::Error),
    /// There is no space.
    #[error("the disk is full; make room and try again")]
    Full(#[source] rusqlite::Error),
    /// It cannot be written.
    #[error(
        "it cannot be opened for writing; look at the owner and mode of file and folder, and how the disk is mounted"
    )]
    ReadOnly(#[source] rusqlite::Error),
    /// Another process writes for too long.
    #[error("another program holds it; end that program, or try again")]
    Busy(#[source] rusqlite::Error),
    /// The file cannot be made.
    #[error("its file cannot be opened; look at the owner and mode of its folder")]
    File(#[source] io::Error),
    /// Anything else.
    #[error("the database failed; look at the disk and the system's log")]
    Database(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for RegistryErrorKind {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error),
            Some(ErrorCode::DiskFull) => Self::Full(error),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::ReadOnly(error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            Some(_) => Self::Database(error),
            // The database works; what stands in a row is not what we write there.
            None => Self::Damaged(error),
        }
    }
}

/// Why a transaction was given up: the request cannot be granted, or the file does not do what it should.
#[derive(Debug)]
pub(super) enum Failure<K = ChangeErrorKind> {
    /// The request cannot be granted.
    Refused(K),
    /// The file does not do what it should.
    Database(rusqlite::Error),
}

impl<K> From<rusqlite::Error> for Failure<K> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

macro_rules! refused {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Failure<$kind> {
            fn from(kind: $kind) -> Self {
                Self::Refused(kind)
            }
        })*
    };
}

refused!(ChangeErrorKind, DeployErrorKind, TenantErrorKind, TokenErrorKind, BlobErrorKind);

impl From<Failure> for Failure<DeployErrorKind> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(kind) => Self::Refused(kind.into()),
            Failure::Database(error) => Self::Database(error),
        }
    }
}
