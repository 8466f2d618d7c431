//! What the errors of NATS mean for a caller.

use std::error::Error;

use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, KeyValueError, PublishError, PublishErrorKind, RequestError,
    RequestErrorKind,
};
use async_nats::jetstream::kv::{EntryError, EntryErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{ConnectError, ConnectErrorKind};

use super::super::{BucketError, OpenErrorKind};

/// Why an operation failed. The reason may lie several errors deep.
pub(super) fn bucket_error(error: &(dyn Error + Send + Sync + 'static)) -> BucketError {
    let mut reason: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = reason {
        if let Some(known) = known(error) {
            return known;
        }
        reason = error.source();
    }
    BucketError::Backend(error.to_string())
}

fn known(error: &(dyn Error + 'static)) -> Option<BucketError> {
    if let Some(error) = error.downcast_ref::<jetstream::Error>() {
        return is_full(error).then_some(BucketError::Full);
    }
    let waits = if let Some(error) = error.downcast_ref::<PublishError>() {
        matches!(
            error.kind(),
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe | PublishErrorKind::MaxAckPending
        )
    } else if let Some(error) = error.downcast_ref::<RequestError>() {
        matches!(error.kind(), RequestErrorKind::TimedOut | RequestErrorKind::NoResponders)
    } else if let Some(error) = error.downcast_ref::<EntryError>() {
        error.kind() == EntryErrorKind::TimedOut
    } else {
        error.is::<std::io::Error>()
    };
    waits.then_some(BucketError::Unavailable)
}

fn is_full(error: &jetstream::Error) -> bool {
    let full = [
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::MEMORY_RESOURCES_EXCEEDED,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::STREAM_STORE_FAILED,
    ];
    full.contains(&error.error_code())
}

/// Why no connection could be made.
pub(super) fn connect(error: &ConnectError) -> OpenErrorKind {
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            OpenErrorKind::Refused(error.to_string())
        }
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Dns
        | ConnectErrorKind::TimedOut
        | ConnectErrorKind::Tls
        | ConnectErrorKind::Io
        | ConnectErrorKind::MaxReconnects => OpenErrorKind::Unreachable(error.to_string()),
    }
}

/// What to do about a bucket that cannot be made or seen.
const REMEDY: &str =
    "start it with JetStream (`nats-server -js`), and check that the account may make buckets and has room";

/// Why a bucket could not be made.
pub(super) fn create(error: &CreateStreamError) -> OpenErrorKind {
    match error.kind() {
        CreateStreamErrorKind::TimedOut => OpenErrorKind::Unreachable(error.to_string()),
        _ => OpenErrorKind::Unusable(error.to_string(), REMEDY),
    }
}

/// Why a bucket that was just made cannot be seen.
pub(super) fn see(error: &KeyValueError) -> OpenErrorKind {
    OpenErrorKind::Unusable(error.to_string(), REMEDY)
}
