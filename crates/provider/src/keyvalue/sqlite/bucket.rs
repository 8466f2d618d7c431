//! One bucket of the file.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::super::{Bucket, BucketError, KeyPage, Snapshot, Swap, bounds};
use super::group::Change;
use super::{Store, entries};

#[derive(Debug)]
pub(super) struct SqliteBucket {
    store: Arc<Store>,
    name: Arc<str>,
}

impl SqliteBucket {
    pub(super) fn new(store: Arc<Store>, name: &str) -> Self {
        Self { store, name: name.into() }
    }
}

#[async_trait]
impl Bucket for SqliteBucket {
    async fn get(&self, key: String) -> Result<Option<Bytes>, BucketError> {
        self.store.readers.read(|connection| entries::get(connection, &self.name, &key))
    }

    async fn set(&self, key: String, value: Bytes) -> Result<(), BucketError> {
        let name = Arc::clone(&self.name);
        self.store.queue.write(key.len() + value.len(), move |group| group.set(&name, &key, &value)).await
    }

    async fn delete(&self, key: String) -> Result<(), BucketError> {
        let name = Arc::clone(&self.name);
        self.store.queue.write(key.len(), move |group| group.delete(&name, &key)).await
    }

    async fn exists(&self, key: String) -> Result<bool, BucketError> {
        self.store.readers.read(|connection| entries::exists(connection, &self.name, &key))
    }

    async fn list_keys(&self, cursor: Option<String>) -> Result<KeyPage, BucketError> {
        let name = Arc::clone(&self.name);
        self.store.readers.read_long(move |connection| entries::page(connection, &name, cursor.as_deref())).await
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64, BucketError> {
        let name = Arc::clone(&self.name);
        self.store.queue.write(key.len(), move |group| group.increment(&name, &key, delta)).await
    }

    async fn read(&self, key: String) -> Result<Snapshot, BucketError> {
        self.store.readers.read(|connection| entries::snapshot(connection, &self.name, &key))
    }

    async fn swap(&self, key: String, seen: Snapshot, value: Bytes) -> Result<Swap, BucketError> {
        let name = Arc::clone(&self.name);
        let bytes = key.len() + value.len();
        let change = Change::new(&seen, value);
        self.store.queue.write(bytes, move |group| group.swap(&name, &key, &change)).await
    }

    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Bytes>>, BucketError> {
        let name = Arc::clone(&self.name);
        let read = move |connection: &rusqlite::Connection| entries::get_many(connection, &name, &keys);
        let values = self.store.readers.read_long(read).await?;
        bounds::returned(&values)?;
        Ok(values)
    }

    async fn set_many(&self, pairs: Vec<(String, Bytes)>) -> Result<(), BucketError> {
        let name = Arc::clone(&self.name);
        let bytes = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        let set = move |group: &mut super::group::Group<'_>| {
            pairs.iter().try_for_each(|(key, value)| group.set(&name, key, value))
        };
        self.store.queue.write(bytes, set).await
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), BucketError> {
        let name = Arc::clone(&self.name);
        let bytes = keys.iter().map(String::len).sum();
        let delete =
            move |group: &mut super::group::Group<'_>| keys.iter().try_for_each(|key| group.delete(&name, key));
        self.store.queue.write(bytes, delete).await
    }
}
