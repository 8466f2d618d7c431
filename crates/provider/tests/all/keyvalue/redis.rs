//! What only Redis has.

use cumulet_provider::keyvalue::redis::Server;
use cumulet_provider::keyvalue::{BucketError, OpenError, OpenErrorKind};

use super::server::{self, REDIS};

fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

#[tokio::test]
async fn other_programs_see_plain_strings() {
    let connect = async |port| Server::connect(&url(port)).await;
    let Some((process, server)) = server::Server::start(&REDIS, &[], connect).await else { return };
    let mut other = ::redis::Client::open(url(process.port)).unwrap().get_multiplexed_async_connection().await.unwrap();
    let bucket = server.bucket("shop[*]");
    bucket.set("a b".to_owned(), "ours".into()).await.unwrap();
    bucket.increment("count".to_owned(), 2).await.unwrap();
    let found: (String, i64) =
        ::redis::cmd("MGET").arg("shop[*]:a b").arg("shop[*]:count").query_async(&mut other).await.unwrap();
    assert_eq!(found, ("ours".to_owned(), 2));

    // None of these can be a key of the bucket: another prefix that the pattern might match, no text, another type.
    for (key, value) in [(b"shop*:x".as_slice(), "1"), (b"shop[*]:\xff", "1"), (b"shop[*]:", "1")] {
        ::redis::cmd("SET").arg(key).arg(value).exec_async(&mut other).await.unwrap();
    }
    ::redis::cmd("RPUSH").arg("shop[*]:list").arg("x").exec_async(&mut other).await.unwrap();
    ::redis::cmd("SET").arg("shop[*]:theirs").arg("x").exec_async(&mut other).await.unwrap();
    let mut keys = bucket.list_keys(None).await.unwrap().keys;
    keys.sort_unstable();
    assert_eq!(keys, ["a b", "count", "theirs"]);
    for cursor in ["0", "-1", "a b"] {
        assert_eq!(bucket.list_keys(Some(cursor.to_owned())).await, Err(BucketError::Cursor), "{cursor}");
    }
    let error = bucket.get("list".to_owned()).await.unwrap_err();
    assert!(matches!(&error, BucketError::Backend(text) if text.contains("WRONGTYPE")), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_until_it_is_back() {
    let connect = async |port| Server::connect(&url(port)).await;
    let Some((mut process, server)) = server::Server::start(&REDIS, &[], connect).await else { return };
    let bucket = server.bucket("shop");
    bucket.set("key".to_owned(), "value".into()).await.unwrap();
    process.kill();
    for _ in 0..3 {
        assert_eq!(bucket.get("key".to_owned()).await, Err(BucketError::Unavailable));
        assert_eq!(bucket.set("key".to_owned(), "value".into()).await, Err(BucketError::Unavailable));
    }
    process.restart();
    server::eventually(|| bucket.set("key".to_owned(), "again".into())).await;
    assert_eq!(bucket.get("key".to_owned()).await.unwrap().unwrap(), "again");
}

#[tokio::test]
async fn a_full_server_says_so() {
    let connect = async |port| Server::connect(&url(port)).await;
    let Some((process, server)) = server::Server::start(&REDIS, &["--maxmemory", "1"], connect).await else { return };
    assert_eq!(server.bucket("shop").set("key".to_owned(), "value".into()).await, Err(BucketError::Full));
    drop(process);
}

#[tokio::test]
async fn an_error_of_opening_shows_no_credentials() {
    let connect = async |port| Server::connect(&format!("redis://:right@127.0.0.1:{port}")).await;
    let Some((process, _server)) = server::Server::start(&REDIS, &["--requirepass", "right"], connect).await else {
        return;
    };
    let port = process.port;
    let check = async |url: String, expected: fn(&OpenErrorKind) -> bool| {
        let error: OpenError = Server::connect(&url).await.unwrap_err();
        let text = format!("{error}: {}", error.kind);
        assert!(expected(&error.kind), "{text}");
        assert!(!text.contains("secret") && !text.contains("alice"), "{text}");
    };
    check(format!("redis://127.0.0.1:{port}"), |kind| matches!(kind, OpenErrorKind::Refused(_))).await;
    check(format!("redis://:secret@127.0.0.1:{port}"), |kind| matches!(kind, OpenErrorKind::Refused(_))).await;
    check("redis://alice:secret@127.0.0.1:1".to_owned(), |kind| matches!(kind, OpenErrorKind::Unreachable(_))).await;
    check("redis://alice:secret@:x".to_owned(), |kind| matches!(kind, OpenErrorKind::Url { .. })).await;
    check("https://alice:secret@host".to_owned(), |kind| matches!(kind, OpenErrorKind::Url { .. })).await;
    // A server without TLS: the handshake is tried, and fails.
    check(format!("rediss://alice:secret@127.0.0.1:{port}"), |kind| matches!(kind, OpenErrorKind::Unreachable(_)))
        .await;
}
