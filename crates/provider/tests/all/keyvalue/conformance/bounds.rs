//! Where things end.

use bytes::Bytes;
use cumulet_provider::keyvalue::{BucketError, KEY_BYTES_MAX, Snapshot, VALUE_BYTES_MAX};

use super::super::backend::Backend;

pub(super) async fn what_is_too_large_is_refused(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let nothing = Snapshot { value: None, version: 0 };
    for key in [String::new(), "k".repeat(KEY_BYTES_MAX + 1)] {
        assert_eq!(bucket.get(key.clone()).await, Err(BucketError::Key));
        assert_eq!(bucket.set(key.clone(), "v".into()).await, Err(BucketError::Key));
        assert_eq!(bucket.delete(key.clone()).await, Err(BucketError::Key));
        assert_eq!(bucket.exists(key.clone()).await, Err(BucketError::Key));
        assert_eq!(bucket.increment(key.clone(), 1).await, Err(BucketError::Key));
        assert_eq!(bucket.read(key.clone()).await, Err(BucketError::Key));
        assert_eq!(bucket.swap(key.clone(), nothing.clone(), "v".into()).await, Err(BucketError::Key));
        assert_eq!(bucket.get_many(vec![key.clone()]).await, Err(BucketError::Key));
        assert_eq!(bucket.set_many(vec![(key.clone(), "v".into())]).await, Err(BucketError::Key));
        assert_eq!(bucket.delete_many(vec![key]).await, Err(BucketError::Key));
    }
    let long = Bytes::from(vec![0; VALUE_BYTES_MAX + 1]);
    let refused = BucketError::Value { max: VALUE_BYTES_MAX };
    let key = || "key".to_owned();
    assert_eq!(bucket.set(key(), long.clone()).await, Err(refused.clone()));
    assert_eq!(bucket.swap(key(), nothing, long.clone()).await, Err(refused.clone()));
    assert_eq!(bucket.set_many(vec![(key(), long)]).await, Err(refused));
    assert!(bucket.list_keys(None).await.unwrap().keys.is_empty());
}

pub(super) async fn the_largest_fits(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let key = "k".repeat(KEY_BYTES_MAX);
    let value = Bytes::from(vec![7; VALUE_BYTES_MAX]);
    bucket.set(key.clone(), value.clone()).await.unwrap();
    assert_eq!(bucket.get(key.clone()).await.unwrap().unwrap(), value);
    let seen = bucket.read(key.clone()).await.unwrap();
    bucket.swap(key.clone(), seen, value.clone()).await.unwrap();
    assert_eq!(bucket.list_keys(None).await.unwrap().keys, [key]);
}
