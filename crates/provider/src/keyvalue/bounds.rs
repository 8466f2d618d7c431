//! What a caller may ask of a bucket, whatever stands behind it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{BATCH_BYTES_MAX, BATCH_MAX, Bucket, BucketError, KEY_BYTES_MAX, KeyPage, Snapshot, Swap, VALUE_BYTES_MAX};

/// A bucket whose backend sees nothing that is out of bounds, and no empty batch.
#[derive(Debug)]
struct Bounded<B>(B);

/// Puts the bounds before a backend.
pub(super) fn bounded(bucket: impl Bucket + 'static) -> Arc<dyn Bucket> {
    Arc::new(Bounded(bucket))
}

/// Whether the values that a batch returns are too many bytes.
pub(super) fn returned<'a>(values: impl IntoIterator<Item = &'a Option<Bytes>>) -> Result<(), BucketError> {
    let bytes: usize = values.into_iter().flatten().map(Bytes::len).sum();
    if bytes <= BATCH_BYTES_MAX { Ok(()) } else { Err(BucketError::Batch) }
}

fn key(key: &str) -> Result<(), BucketError> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) { Ok(()) } else { Err(BucketError::Key) }
}

fn value(value: &Bytes) -> Result<(), BucketError> {
    if value.len() <= VALUE_BYTES_MAX { Ok(()) } else { Err(BucketError::Value { max: VALUE_BYTES_MAX }) }
}

fn cursor(cursor: Option<&str>) -> Result<(), BucketError> {
    match cursor {
        Some(text) if !(1..=KEY_BYTES_MAX).contains(&text.len()) => Err(BucketError::Cursor),
        Some(_) | None => Ok(()),
    }
}

fn keys(keys: &[String]) -> Result<(), BucketError> {
    if keys.len() > BATCH_MAX {
        return Err(BucketError::Batch);
    }
    keys.iter().try_for_each(|name| key(name))
}

fn pairs(pairs: &[(String, Bytes)]) -> Result<(), BucketError> {
    if pairs.len() > BATCH_MAX {
        return Err(BucketError::Batch);
    }
    for (name, content) in pairs {
        key(name)?;
        value(content)?;
    }
    let bytes: usize = pairs.iter().map(|(name, content)| name.len() + content.len()).sum();
    if bytes <= BATCH_BYTES_MAX { Ok(()) } else { Err(BucketError::Batch) }
}

#[async_trait]
impl<B: Bucket> Bucket for Bounded<B> {
    async fn get(&self, name: String) -> Result<Option<Bytes>, BucketError> {
        key(&name)?;
        self.0.get(name).await
    }

    async fn set(&self, name: String, content: Bytes) -> Result<(), BucketError> {
        key(&name)?;
        value(&content)?;
        self.0.set(name, content).await
    }

    async fn delete(&self, name: String) -> Result<(), BucketError> {
        key(&name)?;
        self.0.delete(name).await
    }

    async fn exists(&self, name: String) -> Result<bool, BucketError> {
        key(&name)?;
        self.0.exists(name).await
    }

    async fn list_keys(&self, after: Option<String>) -> Result<KeyPage, BucketError> {
        cursor(after.as_deref())?;
        self.0.list_keys(after).await
    }

    async fn increment(&self, name: String, delta: i64) -> Result<i64, BucketError> {
        key(&name)?;
        self.0.increment(name, delta).await
    }

    async fn read(&self, name: String) -> Result<Snapshot, BucketError> {
        key(&name)?;
        self.0.read(name).await
    }

    async fn swap(&self, name: String, seen: Snapshot, content: Bytes) -> Result<Swap, BucketError> {
        key(&name)?;
        value(&content)?;
        self.0.swap(name, seen, content).await
    }

    async fn get_many(&self, names: Vec<String>) -> Result<Vec<Option<Bytes>>, BucketError> {
        keys(&names)?;
        if names.is_empty() { Ok(Vec::new()) } else { self.0.get_many(names).await }
    }

    async fn set_many(&self, contents: Vec<(String, Bytes)>) -> Result<(), BucketError> {
        pairs(&contents)?;
        if contents.is_empty() { Ok(()) } else { self.0.set_many(contents).await }
    }

    async fn delete_many(&self, names: Vec<String>) -> Result<(), BucketError> {
        keys(&names)?;
        if names.is_empty() { Ok(()) } else { self.0.delete_many(names).await }
    }
}
