//! What the errors of Redis mean for a caller.

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

use super::super::{BucketError, OpenErrorKind};

/// Why an operation failed.
pub(super) fn bucket_error(error: &RedisError) -> BucketError {
    let passes = matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::ReadOnly
            )
    );
    match error.code() {
        _ if passes || error.is_timeout() => BucketError::Unavailable,
        Some("OOM") => BucketError::Full,
        Some(_) | None => BucketError::Backend(error.to_string()),
    }
}

/// Why `INCRBY` failed.
pub(super) fn counter_error(error: &RedisError) -> BucketError {
    // Redis has no code of its own for these two.
    let detail = error.detail().unwrap_or_default();
    if detail.contains("not an integer") || detail.contains("would overflow") {
        BucketError::Counter
    } else {
        bucket_error(error)
    }
}

/// Why a server cannot be used.
pub(super) fn open(error: &RedisError) -> OpenErrorKind {
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => {
            OpenErrorKind::Refused(error.to_string())
        }
        (ErrorKind::RESP3NotSupported, _) => {
            OpenErrorKind::Unusable(error.to_string(), "use Redis 6 or later, or Valkey")
        }
        (ErrorKind::Io, _) => OpenErrorKind::Unreachable(error.to_string()),
        _ => OpenErrorKind::Unusable(error.to_string(), "look into the server's log"),
    }
}
