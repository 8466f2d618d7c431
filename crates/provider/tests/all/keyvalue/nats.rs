//! What only NATS has.

use async_nats::jetstream::{self, stream};
use cumulet_provider::keyvalue::nats::Server;
use cumulet_provider::keyvalue::{BucketError, OpenErrorKind, PAGE_KEYS_MAX, Swap};

use super::server::{self, NATS};

fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

async fn start(more: &[&str]) -> Option<(server::Server, std::sync::Arc<Server>)> {
    let connect = async |port| Server::connect(&url(port)).await;
    let (process, server) = server::Server::start(&NATS, more, connect).await?;
    server::eventually(|| server.bucket("ready")).await;
    Some((process, server))
}

async fn other(process: &server::Server) -> jetstream::Context {
    jetstream::new(async_nats::connect(url(process.port)).await.unwrap())
}

#[tokio::test]
async fn other_programs_see_encoded_keys() {
    let Some((process, server)) = start(&[]).await else { return };
    let bucket = server.bucket("shop").await.unwrap();
    bucket.set("cart/alice b".to_owned(), "ours".into()).await.unwrap();
    let theirs = other(&process).await.get_key_value("shop").await.unwrap();
    assert_eq!(theirs.get("cart/alice=20b").await.unwrap().unwrap(), "ours");
    theirs.put("plain.key", "theirs".into()).await.unwrap();
    theirs.put("no=encoding", "theirs".into()).await.unwrap();
    assert_eq!(bucket.get("plain.key".to_owned()).await.unwrap().unwrap(), "theirs");
    assert_eq!(bucket.list_keys(None).await.unwrap().keys, ["cart/alice b", "plain.key"]);
    for cursor in ["0", "-1", "a b"] {
        assert_eq!(bucket.list_keys(Some(cursor.to_owned())).await, Err(BucketError::Cursor), "{cursor}");
    }
}

#[tokio::test]
async fn a_marker_has_a_version() {
    let Some((process, server)) = start(&[]).await else { return };
    let bucket = server.bucket("shop").await.unwrap();
    let key = || "key".to_owned();
    let never = bucket.read(key()).await.unwrap();
    assert_eq!((never.value.clone(), never.version), (None, 0));
    bucket.set(key(), "value".into()).await.unwrap();
    bucket.delete(key()).await.unwrap();
    let deleted = bucket.read(key()).await.unwrap();
    assert_eq!((deleted.value.clone(), deleted.version), (None, 2));
    assert_eq!(bucket.swap(key(), never, "x".into()).await.unwrap(), Swap::Changed(deleted.clone()));
    assert_eq!(bucket.swap(key(), deleted, "x".into()).await.unwrap(), Swap::Done);

    // A marker that another program left, and deletions of what is not there, which leave none.
    other(&process).await.get_key_value("shop").await.unwrap().purge("key").await.unwrap();
    let purged = bucket.read(key()).await.unwrap();
    assert_eq!((purged.value.clone(), purged.version), (None, 4));
    bucket.delete(key()).await.unwrap();
    bucket.delete("never".to_owned()).await.unwrap();
    assert_eq!(bucket.read(key()).await.unwrap().version, 4);
    assert_eq!(bucket.increment(key(), 1).await.unwrap(), 1);
    assert!(bucket.list_keys(None).await.unwrap().keys.contains(&key()));
}

#[tokio::test]
async fn a_bucket_with_a_history_is_listed_too() {
    let Some((process, server)) = start(&[]).await else { return };
    // As another program makes a bucket, without what the client asks of servers from 2.10 on.
    let config = stream::Config {
        name: "KV_old".to_owned(),
        subjects: vec!["$KV.old.>".to_owned()],
        max_messages_per_subject: 5,
        allow_direct: true,
        ..stream::Config::default()
    };
    other(&process).await.create_stream(config).await.unwrap();
    let bucket = server.bucket("old").await.unwrap();
    let pairs = |numbers: std::ops::Range<usize>| numbers.map(|number| (format!("{number:05}"), "x".into())).collect();
    bucket.set_many(pairs(0..1_000)).await.unwrap();
    bucket.set_many(pairs(0..1_000)).await.unwrap();
    bucket.set_many(pairs(1_000..1_200)).await.unwrap();
    bucket.delete("00007".to_owned()).await.unwrap();
    let first = bucket.list_keys(None).await.unwrap();
    assert_eq!(first.keys.len(), PAGE_KEYS_MAX);
    let second = bucket.list_keys(first.cursor).await.unwrap();
    assert_eq!(second.cursor, None);
    let mut keys = [first.keys, second.keys].concat();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 1_199);
    assert!(!keys.contains(&"00007".to_owned()));
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_until_it_is_back() {
    let Some((mut process, server)) = start(&[]).await else { return };
    let bucket = server.bucket("shop").await.unwrap();
    bucket.set("key".to_owned(), "value".into()).await.unwrap();
    process.kill();
    assert_eq!(bucket.get("key".to_owned()).await, Err(BucketError::Unavailable));
    assert_eq!(bucket.set("key".to_owned(), "value".into()).await, Err(BucketError::Unavailable));
    assert_eq!(bucket.list_keys(None).await, Err(BucketError::Unavailable));
    process.restart();
    server::eventually(|| bucket.set("key".to_owned(), "again".into())).await;
    assert_eq!(bucket.get("key".to_owned()).await.unwrap().unwrap(), "again");
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_without_credentials() {
    let connect = async |port| Server::connect(&format!("nats://user:right%40@127.0.0.1:{port}")).await;
    let protected = ["--user", "user", "--pass", "right@"];
    let Some((process, server)) = server::Server::start(&NATS, &protected, connect).await else { return };
    for name in ["", "a b", "a.b", "ü", &"x".repeat(65)] {
        let error = server.bucket(name).await.unwrap_err();
        assert!(matches!(error.kind, OpenErrorKind::Name(_)), "{error}");
        assert!(!error.to_string().contains("right"), "{error}");
    }
    let port = process.port;
    let check = async |url: String, expected: fn(&OpenErrorKind) -> bool| {
        let error = Server::connect(&url).await.unwrap_err();
        let text = format!("{error}: {}", error.kind);
        assert!(expected(&error.kind), "{text}");
        assert!(!text.contains("secret"), "{text}");
    };
    check(format!("nats://127.0.0.1:{port}"), |kind| matches!(kind, OpenErrorKind::Refused(_))).await;
    check(format!("nats://user:secret@127.0.0.1:{port}"), |kind| matches!(kind, OpenErrorKind::Refused(_))).await;
    check(format!("nats://secret@127.0.0.1:{port}"), |kind| matches!(kind, OpenErrorKind::Refused(_))).await;
    check("nats://user:secret@127.0.0.1:1".to_owned(), |kind| matches!(kind, OpenErrorKind::Unreachable(_))).await;
    check("gopher://user:secret@host".to_owned(), |kind| matches!(kind, OpenErrorKind::Url { .. })).await;
}
