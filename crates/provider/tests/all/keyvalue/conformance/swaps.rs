//! Compare and swap.

use std::sync::Arc;

use bytes::Bytes;
use cumulet_provider::keyvalue::{Bucket, Snapshot, Swap};
use tokio::task::JoinSet;

use super::super::backend::Backend;

fn key() -> String {
    "stock".to_owned()
}

pub(super) async fn a_swap_sets_what_nobody_changed(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    for value in ["made", "changed", "", "changed"] {
        let seen = bucket.read(key()).await.unwrap();
        assert_eq!(bucket.swap(key(), seen, value.into()).await.unwrap(), Swap::Done, "{value:?}");
        assert_eq!(bucket.get(key()).await.unwrap().unwrap(), value);
    }
    bucket.delete(key()).await.unwrap();
    let seen = bucket.read(key()).await.unwrap();
    assert_eq!(seen.value, None);
    assert_eq!(bucket.swap(key(), seen, "again".into()).await.unwrap(), Swap::Done);
}

pub(super) async fn a_swap_tells_what_somebody_changed(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    bucket.set(key(), "one".into()).await.unwrap();
    let seen = bucket.read(key()).await.unwrap();
    bucket.set(key(), "two".into()).await.unwrap();
    let Swap::Changed(now) = bucket.swap(key(), seen, "mine".into()).await.unwrap() else {
        panic!("somebody was first");
    };
    assert_eq!(now.value.as_deref(), Some(b"two".as_slice()));
    assert_eq!(bucket.swap(key(), now, "mine".into()).await.unwrap(), Swap::Done, "what it told is up to date");
    assert_eq!(bucket.get(key()).await.unwrap().unwrap(), "mine");
}

pub(super) async fn a_swap_compares_whether_there_is_a_value(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let absent = bucket.read(key()).await.unwrap();
    bucket.set(key(), Bytes::new()).await.unwrap();
    let empty = bucket.read(key()).await.unwrap();
    assert_eq!(bucket.swap(key(), absent, "x".into()).await.unwrap(), Swap::Changed(empty.clone()));

    bucket.delete(key()).await.unwrap();
    let Swap::Changed(now) = bucket.swap(key(), empty, "x".into()).await.unwrap() else {
        panic!("an empty value is not the same as none");
    };
    assert_eq!(now.value, None);
    assert_eq!(bucket.swap(key(), now, "x".into()).await.unwrap(), Swap::Done);
}

pub(super) async fn a_value_that_came_back_counts_as_changed_where_there_are_versions<B: Backend>(backend: &B) {
    let bucket = backend.bucket("cart").await;
    let came_back = |bucket: Arc<dyn Bucket>| async move {
        bucket.set(key(), "one".into()).await.unwrap();
        let seen = bucket.read(key()).await.unwrap();
        bucket.delete(key()).await.unwrap();
        bucket.set(key(), "one".into()).await.unwrap();
        seen
    };
    let seen: Snapshot = came_back(Arc::clone(&bucket)).await;
    let swapped = bucket.swap(key(), seen, "mine".into()).await.unwrap();
    assert_eq!(swapped != Swap::Done, B::HAS_VERSIONS, "{swapped:?}");
}

pub(super) async fn swaps_at_the_same_time_add_up(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move {
            for _ in 0..25 {
                add_one(bucket.as_ref()).await;
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(bucket.get(key()).await.unwrap().unwrap(), "200");
}

async fn add_one(bucket: &dyn Bucket) {
    let mut seen = bucket.read(key()).await.unwrap();
    loop {
        let before: u64 = seen.value.as_deref().map_or(0, |text| std::str::from_utf8(text).unwrap().parse().unwrap());
        match bucket.swap(key(), seen, Bytes::from((before + 1).to_string())).await.unwrap() {
            Swap::Done => return,
            Swap::Changed(now) => seen = now,
        }
    }
}
