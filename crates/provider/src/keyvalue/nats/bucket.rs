//! One bucket on a server.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::super::{BATCH_BYTES_MAX, Bucket, BucketError, KeyPage, Snapshot, Swap, counter};
use super::failure::bucket_error;
use super::{entry, key, listing};

/// Operations of one batch at the same time.
const BATCH_IN_FLIGHT_MAX: usize = 64;
/// How often an increment tries again when others were first. Each time one of them was.
const INCREMENT_TRIES_MAX: usize = 256;
/// What a message needs beside its value.
const HEADER_BYTES_MAX: usize = 2_048;

#[derive(Debug)]
pub(super) struct NatsBucket {
    client: Client,
    store: Store,
}

impl NatsBucket {
    pub(super) fn new(client: Client, store: Store) -> Self {
        Self { client, store }
    }

    /// The client would keep what it is given until it is connected again; whoever waits shall learn it now.
    fn connected(&self) -> Result<&Store, BucketError> {
        match self.client.connection_state() {
            State::Connected => Ok(&self.store),
            State::Pending | State::Disconnected => Err(BucketError::Unavailable),
        }
    }

    /// The same, for a value that this server takes.
    fn connected_for(&self, value: &Bytes) -> Result<&Store, BucketError> {
        let max = self.client.max_payload().saturating_sub(HEADER_BYTES_MAX);
        if value.len() > max { Err(BucketError::Value { max }) } else { self.connected() }
    }

    async fn snapshot(&self, encoded: &str) -> Result<Snapshot, BucketError> {
        entry::snapshot(self.connected()?, encoded).await
    }

    async fn put(&self, encoded: String, value: Bytes) -> Result<(), BucketError> {
        let put = self.connected_for(&value)?.put(encoded, value).await;
        put.map(|_| ()).map_err(|error| bucket_error(&error))
    }

    /// Deletes a key that is there; otherwise it would leave a marker for nothing.
    async fn remove(&self, encoded: String) -> Result<(), BucketError> {
        if self.snapshot(&encoded).await?.value.is_none() {
            return Ok(());
        }
        self.connected()?.delete(encoded).await.map_err(|error| bucket_error(&error))
    }

    /// Whether the new value is there: nobody wrote since that revision.
    async fn update(&self, encoded: &str, value: Bytes, revision: u64) -> Result<bool, BucketError> {
        match self.connected_for(&value)?.update(encoded, value, revision).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                UpdateErrorKind::WrongLastRevision => Ok(false),
                UpdateErrorKind::TimedOut => Err(BucketError::Unavailable),
                UpdateErrorKind::InvalidKey | UpdateErrorKind::Other => Err(bucket_error(&error)),
            },
        }
    }
}

#[async_trait]
impl Bucket for NatsBucket {
    async fn get(&self, key: String) -> Result<Option<Bytes>, BucketError> {
        Ok(self.snapshot(&key::encode(&key)).await?.value)
    }

    async fn set(&self, key: String, value: Bytes) -> Result<(), BucketError> {
        self.put(key::encode(&key), value).await
    }

    async fn delete(&self, key: String) -> Result<(), BucketError> {
        self.remove(key::encode(&key)).await
    }

    async fn exists(&self, key: String) -> Result<bool, BucketError> {
        Ok(self.get(key).await?.is_some())
    }

    async fn list_keys(&self, cursor: Option<String>) -> Result<KeyPage, BucketError> {
        listing::page(self.connected()?, cursor.as_deref()).await
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64, BucketError> {
        let encoded = key::encode(&key);
        for _ in 0..INCREMENT_TRIES_MAX {
            let seen = self.snapshot(&encoded).await?;
            let sum = counter::add(seen.value.as_deref(), delta)?;
            if self.update(&encoded, sum.to_string().into(), seen.version).await? {
                return Ok(sum);
            }
        }
        Err(BucketError::Unavailable)
    }

    async fn read(&self, key: String) -> Result<Snapshot, BucketError> {
        self.snapshot(&key::encode(&key)).await
    }

    async fn swap(&self, key: String, seen: Snapshot, value: Bytes) -> Result<Swap, BucketError> {
        let encoded = key::encode(&key);
        if self.update(&encoded, value, seen.version).await? {
            return Ok(Swap::Done);
        }
        Ok(Swap::Changed(self.snapshot(&encoded).await?))
    }

    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Bytes>>, BucketError> {
        let mut values = Vec::with_capacity(keys.len());
        let mut bytes = 0;
        let mut coming = stream::iter(keys).map(|key| self.get(key)).buffered(BATCH_IN_FLIGHT_MAX);
        while let Some(value) = coming.try_next().await? {
            bytes += value.as_ref().map_or(0, Bytes::len);
            if bytes > BATCH_BYTES_MAX {
                return Err(BucketError::Batch);
            }
            values.push(value);
        }
        Ok(values)
    }

    async fn set_many(&self, pairs: Vec<(String, Bytes)>) -> Result<(), BucketError> {
        // Each key once, with its last value, because they are set in no order.
        let pairs: BTreeMap<String, Bytes> = pairs.into_iter().collect();
        let put = |(key, value): (String, Bytes)| self.put(key::encode(&key), value);
        stream::iter(pairs).map(put).buffer_unordered(BATCH_IN_FLIGHT_MAX).try_collect().await
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), BucketError> {
        let keys: BTreeSet<String> = keys.into_iter().collect();
        let remove = |key: String| self.remove(key::encode(&key));
        stream::iter(keys).map(remove).buffer_unordered(BATCH_IN_FLIGHT_MAX).try_collect().await
    }
}
