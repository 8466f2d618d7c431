//! What SQLite's errors mean for a caller.

use rusqlite::ErrorCode;

use super::super::BucketError;

pub(super) fn bucket_error(error: &rusqlite::Error) -> BucketError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => BucketError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => BucketError::Unavailable,
        Some(_) | None => BucketError::Backend(error.to_string()),
    }
}
