//! Several keys in one call.

use bytes::Bytes;
use cumulet_provider::keyvalue::{BATCH_BYTES_MAX, BATCH_MAX, BucketError, VALUE_BYTES_MAX};

use super::super::backend::Backend;

fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("key {number}")).collect()
}

pub(super) async fn a_batch_is_done(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let mut pairs: Vec<(String, Bytes)> =
        names(0..BATCH_MAX - 1).into_iter().map(|name| (name.clone(), Bytes::from(name))).collect();
    pairs.push(("key 0".to_owned(), "the last one counts".into()));
    bucket.set_many(pairs).await.unwrap();

    let keys = vec!["key 7".to_owned(), "missing".to_owned(), "key 0".to_owned(), "key 7".to_owned()];
    let values = bucket.get_many(keys).await.unwrap();
    let seven = Some(Bytes::from("key 7"));
    assert_eq!(values, [seven.clone(), None, Some("the last one counts".into()), seven]);
    assert_eq!(bucket.get_many(names(0..BATCH_MAX)).await.unwrap().iter().flatten().count(), BATCH_MAX - 1);

    let mut gone = names(5..BATCH_MAX);
    gone.push("missing".to_owned());
    gone.push("key 5".to_owned());
    gone.truncate(BATCH_MAX);
    bucket.delete_many(gone).await.unwrap();
    let mut left = bucket.list_keys(None).await.unwrap().keys;
    left.sort_unstable();
    assert_eq!(left, names(0..5));
}

pub(super) async fn a_batch_that_is_too_large_is_refused(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let keys = names(0..BATCH_MAX + 1);
    let pairs: Vec<(String, Bytes)> = keys.iter().map(|key| (key.clone(), Bytes::new())).collect();
    assert_eq!(bucket.get_many(keys.clone()).await, Err(BucketError::Batch));
    assert_eq!(bucket.set_many(pairs).await, Err(BucketError::Batch));
    assert_eq!(bucket.delete_many(keys).await, Err(BucketError::Batch));

    let value = Bytes::from(vec![1; VALUE_BYTES_MAX]);
    let keys = names(0..BATCH_BYTES_MAX / VALUE_BYTES_MAX + 1);
    let pairs: Vec<(String, Bytes)> = keys.iter().map(|key| (key.clone(), value.clone())).collect();
    assert_eq!(bucket.set_many(pairs.clone()).await, Err(BucketError::Batch));
    assert!(bucket.list_keys(None).await.unwrap().keys.is_empty());
    for (key, value) in pairs {
        bucket.set(key, value).await.unwrap();
    }
    assert_eq!(bucket.get_many(keys.clone()).await, Err(BucketError::Batch));
    assert_eq!(bucket.get_many(keys[1..].to_vec()).await.unwrap().len(), keys.len() - 1);
}

pub(super) async fn an_empty_batch_is_nothing(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    assert_eq!(bucket.get_many(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(bucket.set_many(Vec::new()).await, Ok(()));
    assert_eq!(bucket.delete_many(Vec::new()).await, Ok(()));
}
