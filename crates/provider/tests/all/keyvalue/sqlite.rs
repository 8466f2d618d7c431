//! What only the file has.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use cumulet_provider::keyvalue::sqlite::Store;
use cumulet_provider::keyvalue::{BucketError, OpenErrorKind};
use tokio::task::JoinSet;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again_and_nobody_else_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("apps/shop/kv.sqlite");
    let store = Store::open(&path).unwrap();
    store.bucket("cart").set("key".to_owned(), "value".into()).await.unwrap();
    let before = store.bucket("cart").read("key".to_owned()).await.unwrap();
    assert_eq!(
        [mode(&path), mode(&folder.path().join("apps/shop")), mode(&folder.path().join("apps"))],
        [0o600, 0o700, 0o700]
    );
    drop(store);
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["kv.sqlite"], "a store that was closed is one file");

    let store = Store::open(&path).unwrap();
    assert_eq!(store.bucket("cart").read("key".to_owned()).await.unwrap(), before);
    store.bucket("cart").set("key".to_owned(), "value".into()).await.unwrap();
    let after = store.bucket("cart").read("key".to_owned()).await.unwrap();
    assert!(after.version > before.version, "{after:?}");
}

#[tokio::test]
async fn a_full_store_says_so_and_takes_deletions() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sized(&folder.path().join("kv.sqlite"), 1 << 20).unwrap();
    let bucket = store.bucket("cart");
    let value = Bytes::from(vec![1; 100_000]);
    let mut written = 0;
    let error = loop {
        match bucket.set(format!("{written}"), value.clone()).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, BucketError::Full);
    assert!((8..=10).contains(&written), "{written}");

    // Those that fit go through though another in the same transaction does not.
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let (bucket, large) = (Arc::clone(&bucket), value.clone());
        tasks.spawn(async move {
            let value = if number % 2 == 0 { large } else { "small".into() };
            (number, bucket.set(format!("more {number}"), value).await)
        });
    }
    for (number, result) in tasks.join_all().await {
        assert_eq!(result, if number % 2 == 0 { Err(BucketError::Full) } else { Ok(()) }, "{number}");
    }
    bucket.delete("0".to_owned()).await.unwrap();
    bucket.set("0".to_owned(), value).await.expect("there is room again");
}

#[tokio::test]
async fn one_that_fails_does_not_take_the_others_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("kv.sqlite")).unwrap();
    let bucket = store.bucket("cart");
    bucket.set("text".to_owned(), "no counter".into()).await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let bucket = Arc::clone(&bucket);
        tasks.spawn(async move {
            let key = if number % 2 == 0 { "text" } else { "count" };
            bucket.increment(key.to_owned(), 1).await.is_ok()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|done| *done).count(), 100);
    assert_eq!(bucket.get("count".to_owned()).await.unwrap().unwrap(), "100");
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_done_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kv.sqlite");
    let store = Store::open(&path).unwrap();
    let bucket = store.bucket("cart");
    for number in 0..50 {
        let value = Bytes::from(format!("{number}"));
        let write = bucket.set_many(vec![("a".to_owned(), value.clone()), ("b".to_owned(), value)]);
        tokio::select! {
            biased;
            result = write => result.unwrap(),
            () = tokio::task::yield_now() => {}
        }
        let found = bucket.get_many(vec!["a".to_owned(), "b".to_owned()]).await.unwrap();
        assert_eq!(found[0], found[1]);
    }
    drop(bucket);
    drop(store);
    let found =
        Store::open(&path).unwrap().bucket("cart").get_many(vec!["a".to_owned(), "b".to_owned()]).await.unwrap();
    assert_eq!(found[0], found[1]);
}

#[tokio::test]
async fn two_openings_of_one_file_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kv.sqlite");
    let stores = [Store::open(&path).unwrap(), Store::open(&path).unwrap()];
    let mut tasks = JoinSet::new();
    for store in &stores {
        let bucket = store.bucket("cart");
        tasks.spawn(async move {
            for _ in 0..50 {
                bucket.increment("count".to_owned(), 1).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let version = stores[0].bucket("cart").read("count".to_owned()).await.unwrap();
    assert_eq!((version.value.as_deref(), version.version), (Some(b"100".as_slice()), 100));
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, expected: &str| {
        let error = Store::open(&folder.path().join(name)).unwrap_err();
        assert!(error.to_string().ends_with(name), "{error}");
        assert!(error.kind.to_string().contains(expected), "{}", error.kind);
        error.kind
    };
    fs::write(folder.path().join("text"), "this is no database, though it is long enough to be one".repeat(100))
        .unwrap();
    assert!(matches!(check("text", "move it away"), OpenErrorKind::Foreign));
    rusqlite::Connection::open(folder.path().join("foreign")).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    assert!(matches!(check("foreign", "move it away"), OpenErrorKind::Foreign));
    drop(Store::open(&folder.path().join("newer")).unwrap());
    let newer = rusqlite::Connection::open(folder.path().join("newer")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(check("newer", "format 99"), OpenErrorKind::Newer { found: 99, known: 1 }));
    assert!(matches!(check("text/kv", "may be written"), OpenErrorKind::File(_)));
}
