//! Values under keys.

use bytes::Bytes;

use super::super::backend::Backend;

pub(super) async fn a_value_is_set_read_replaced_and_deleted(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let key = || "alice".to_owned();
    assert_eq!(bucket.get(key()).await.unwrap(), None);
    assert!(!bucket.exists(key()).await.unwrap());
    bucket.delete(key()).await.expect("what is not there can be deleted");

    for value in ["one", "two"] {
        bucket.set(key(), value.into()).await.unwrap();
        assert_eq!(bucket.get(key()).await.unwrap().unwrap(), value);
        assert_eq!(bucket.read(key()).await.unwrap().value.unwrap(), value);
        assert!(bucket.exists(key()).await.unwrap());
    }

    bucket.delete(key()).await.unwrap();
    assert_eq!(bucket.get(key()).await.unwrap(), None);
    assert_eq!(bucket.read(key()).await.unwrap().value, None);
    assert!(!bucket.exists(key()).await.unwrap());

    bucket.set(key(), "three".into()).await.unwrap();
    assert_eq!(bucket.get(key()).await.unwrap().unwrap(), "three");
}

pub(super) async fn any_bytes_are_a_value(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let all: Vec<u8> = (0..=255).collect();
    for (key, value) in [("empty", Vec::new()), ("binary", all.clone()), ("long", all.repeat(256))] {
        bucket.set(key.to_owned(), Bytes::from(value.clone())).await.unwrap();
        assert_eq!(bucket.get(key.to_owned()).await.unwrap().unwrap(), value, "{key}");
        assert!(bucket.exists(key.to_owned()).await.unwrap(), "{key}");
    }
}

pub(super) async fn any_text_is_a_key(backend: &impl Backend) {
    let bucket = backend.bucket("cart").await;
    let long = "é".repeat(256);
    let mut keys = vec![
        ".",
        "..",
        ".a",
        "a.",
        "a..b",
        "a.b",
        "/",
        "a/b",
        "//",
        "*",
        "?",
        "[a]",
        "\\",
        ">",
        "$KV.cart.x",
        " ",
        " a ",
        "=",
        "=20",
        "a=b",
        ":",
        "a:b",
        "ключ",
        "🔑",
        "a\nb",
        "a\r\n",
        "\0",
        "a\0b",
        "%00",
        "A",
        "a",
        "_kv",
        "-",
        "0",
        "'; --",
        &long,
    ];
    for key in &keys {
        bucket.set((*key).to_owned(), Bytes::from((*key).to_owned())).await.unwrap_or_else(|e| panic!("{key:?}: {e}"));
    }
    for key in &keys {
        assert_eq!(bucket.get((*key).to_owned()).await.unwrap().unwrap(), *key, "{key:?}");
    }
    let mut listed = bucket.list_keys(None).await.unwrap().keys;
    listed.sort_unstable();
    keys.sort_unstable();
    assert_eq!(listed, keys);
}

pub(super) async fn buckets_do_not_see_each_other(backend: &impl Backend) {
    let (one, other) = (backend.bucket("one").await, backend.bucket("other").await);
    let key = || "key".to_owned();
    one.set(key(), "1".into()).await.unwrap();
    assert_eq!(other.get(key()).await.unwrap(), None);
    assert!(other.list_keys(None).await.unwrap().keys.is_empty());
    assert_eq!(other.increment(key(), 5).await.unwrap(), 5);
    other.delete(key()).await.unwrap();
    assert_eq!(one.get(key()).await.unwrap().unwrap(), "1");
    assert_eq!(backend.bucket("one").await.get(key()).await.unwrap().unwrap(), "1", "the same name is the same bucket");
}
