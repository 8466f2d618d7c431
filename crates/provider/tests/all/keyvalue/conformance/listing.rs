//! Listings.

use std::collections::BTreeSet;

use bytes::Bytes;
use cumulet_provider::keyvalue::{BATCH_MAX, BucketError, PAGE_KEYS_MAX};

use super::super::backend::Backend;

pub(super) async fn a_listing_has_every_key_once_there_is_time(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let neighbour = backend.bucket("cart2").await;
    let keys: BTreeSet<String> = (0..2 * PAGE_KEYS_MAX + 500).map(|number| format!("item/{number}")).collect();
    let pairs: Vec<(String, Bytes)> = keys.iter().map(|key| (key.clone(), "x".into())).collect();
    for batch in pairs.chunks(BATCH_MAX) {
        bucket.set_many(batch.to_vec()).await.unwrap();
        neighbour.set_many(batch[..10].to_vec()).await.unwrap();
    }
    bucket.set("gone".to_owned(), "x".into()).await.unwrap();
    bucket.delete("gone".to_owned()).await.unwrap();

    let (mut listed, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = bucket.list_keys(cursor).await.unwrap();
        assert!(page.keys.len() <= PAGE_KEYS_MAX, "{}", page.keys.len());
        listed.extend(page.keys);
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert!(pages > 2, "{pages} pages");
    assert_eq!(listed.len(), keys.len(), "nobody wrote: no key appears twice");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), keys);
}

pub(super) async fn an_empty_bucket_has_no_keys(backend: &impl Backend) {
    let page = backend.bucket("cart").await.list_keys(None).await.unwrap();
    assert_eq!((page.keys.len(), page.cursor), (0, None));
}

pub(super) async fn a_foreign_cursor_is_refused(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    for cursor in [String::new(), "x".repeat(10_000)] {
        assert_eq!(bucket.list_keys(Some(cursor)).await, Err(BucketError::Cursor));
    }
}
