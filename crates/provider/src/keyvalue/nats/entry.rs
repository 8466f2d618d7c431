//! What is known of one key, whether it has a value or not.

use async_nats::header::HeaderMap;
use async_nats::jetstream::kv::{Operation, Store};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::Bytes;

use super::super::{BucketError, Snapshot};
use super::failure::bucket_error;

/// The header of a marker.
pub(super) const OPERATION: &str = "KV-Operation";

/// What is there under an encoded key. The version is the revision of the last message, be it a marker of a deletion:
/// NATS compares with that one. It is 0 where there never was a message.
pub(super) async fn snapshot(store: &Store, encoded: &str) -> Result<Snapshot, BucketError> {
    if store.stream.cached_info().config.num_replicas > 1 {
        return from_leader(store, encoded).await;
    }
    let entry = store.entry(encoded).await.map_err(|error| bucket_error(&error))?;
    Ok(entry.map_or(NOTHING, |entry| Snapshot {
        value: (entry.operation == Operation::Put).then_some(entry.value),
        version: entry.revision,
    }))
}

/// Whether a message's headers say that it is a marker.
pub(super) fn is_marker(headers: Option<&HeaderMap>) -> bool {
    let operation = headers.and_then(|headers| headers.get(OPERATION));
    operation.is_some_and(|operation| operation.as_str() != "PUT")
}

const NOTHING: Snapshot = Snapshot { value: None, version: 0 };

/// Any replica answers a plain read, even one that has not yet seen our last write. The leader has.
async fn from_leader(store: &Store, encoded: &str) -> Result<Snapshot, BucketError> {
    let subject = format!("{}{encoded}", store.prefix);
    match store.stream.get_last_raw_message_by_subject(&subject).await {
        Ok(message) => {
            let value: Option<Bytes> = (!is_marker(Some(&message.headers))).then_some(message.payload);
            Ok(Snapshot { value, version: message.sequence })
        }
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(NOTHING),
        Err(error) => Err(bucket_error(&error)),
    }
}
