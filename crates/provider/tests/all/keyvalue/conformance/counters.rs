//! Counters.

use std::sync::Arc;

use bytes::Bytes;
use cumulet_provider::keyvalue::BucketError;
use tokio::task::JoinSet;

use super::super::backend::Backend;

pub(super) async fn a_counter_counts(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let key = || "visits".to_owned();
    for (delta, expected) in [(1, 1), (41, 42), (-50, -8), (0, -8), (i64::MAX, i64::MAX - 8), (8, i64::MAX)] {
        assert_eq!(bucket.increment(key(), delta).await.unwrap(), expected);
        assert_eq!(bucket.get(key()).await.unwrap().unwrap(), expected.to_string());
    }
    assert_eq!(bucket.increment("low".to_owned(), i64::MIN).await.unwrap(), i64::MIN);
    bucket.set(key(), "-7".into()).await.unwrap();
    assert_eq!(bucket.increment(key(), 7).await.unwrap(), 0);
    bucket.delete(key()).await.unwrap();
    assert_eq!(bucket.increment(key(), 3).await.unwrap(), 3, "a counter that was deleted starts at 0");
}

pub(super) async fn what_is_no_counter_stays(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let key = || "visits".to_owned();
    let max = i64::MAX.to_string();
    for (value, delta) in [("", 1), ("one", 1), ("1.5", 1), (" 1", 1), ("1 ", 1), ("+1", 1), ("01", 1), (&max, 1)] {
        bucket.set(key(), Bytes::from(value.to_owned())).await.unwrap();
        assert_eq!(bucket.increment(key(), delta).await, Err(BucketError::Counter), "{value:?}");
        assert_eq!(bucket.get(key()).await.unwrap().unwrap(), value);
    }
    bucket.set(key(), Bytes::from(i64::MIN.to_string())).await.unwrap();
    assert_eq!(bucket.increment(key(), -1).await, Err(BucketError::Counter));
}

pub(super) async fn increments_at_the_same_time_add_up(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move {
            for _ in 0..25 {
                bucket.increment("visits".to_owned(), 1).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(bucket.get("visits".to_owned()).await.unwrap().unwrap(), "200");
}
