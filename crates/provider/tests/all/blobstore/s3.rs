//! What only a container in a bucket can do wrong.

use std::sync::atomic::Ordering;

use cumulet_provider::blobstore::ContainerError;
use cumulet_provider::blobstore::s3::open;
use tokio::net::TcpListener;

use super::bodies::{all_names, noise, part, read, whole};
use super::server::{SECRET, Server};

#[tokio::test]
async fn containers_of_one_bucket_do_not_see_each_other() {
    let server = Server::start().await;
    let (short, long) = (open(&server.url("p")).unwrap(), open(&server.url("pp/q")).unwrap());
    short.write("x".to_owned(), whole("short")).await.unwrap();
    long.write("x".to_owned(), whole("long")).await.unwrap();
    long.delete(vec!["y".to_owned()]).await.unwrap();
    assert_eq!(read(&*short, "x").await.unwrap(), "short");
    assert_eq!(read(&*long, "x").await.unwrap(), "long");
    assert_eq!(all_names(&*short).await.0, ["x"]);
    let bucket = open(&server.url("")).unwrap();
    assert_eq!(all_names(&*bucket).await.0, ["p/x", "pp/q/x"]);
    let name = "n".repeat(1_023);
    assert_eq!(read(&*short, &name).await, Err(ContainerError::Name(name)));
}

#[tokio::test]
async fn a_server_that_stumbles_is_asked_again() {
    let server = Server::start().await;
    let container = open(&server.url("p")).unwrap();
    let bytes = noise(1, 6 << 20);
    server.refusals.store(2, Ordering::SeqCst);
    container.write("x".to_owned(), whole(bytes.clone())).await.unwrap();
    server.refusals.store(2, Ordering::SeqCst);
    assert!(read(&*container, "x").await.unwrap() == bytes);
    server.refusals.store(2, Ordering::SeqCst);
    assert_eq!(all_names(&*container).await.0, ["x"]);
    server.refusals.store(2, Ordering::SeqCst);
    container.delete(vec!["x".to_owned()]).await.unwrap();
    assert_eq!(server.refusals.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_stays_away_is_unavailable() {
    let server = Server::start().await;
    let container = open(&server.url("p")).unwrap();
    server.refusals.store(u32::MAX, Ordering::SeqCst);
    assert_eq!(read(&*container, "x").await, Err(ContainerError::Unavailable));
    assert_eq!(part(&*container, "x", 1, 2).await, Err(ContainerError::Unavailable));
    assert_eq!(container.write("x".to_owned(), whole("x")).await, Err(ContainerError::Unavailable));
    assert_eq!(container.list(None).await, Err(ContainerError::Unavailable));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    // The last speaks no TLS: that is tried, and fails.
    for endpoint in [format!("http://{nobody}"), format!("https://{nobody}"), format!("https://{}", server.address)] {
        let container = open(&format!("s3://k:s@bucket?endpoint={endpoint}")).unwrap();
        assert_eq!(read(&*container, "x").await, Err(ContainerError::Unavailable), "{endpoint}");
    }
}

#[tokio::test]
async fn a_refusal_tells_the_operator_why_and_nothing_secret() {
    let server = Server::start().await;
    for (url, expected) in [
        (server.url("p").replace("test-key", "other-key"), "NotSignedUp"),
        (server.url("p").replace("%2B1", "%2B2"), "SignatureDoesNotMatch"),
        (server.url("p").replace("@bucket", "@other-bucket"), "NoSuchBucket"),
    ] {
        let container = open(&url).unwrap();
        let error = container.list(None).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, ContainerError::Backend(_)) && text.contains(expected), "{text}");
        for secret in [SECRET, "test-key", "other-key", "%2F"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(!format!("{container:?}").contains("test"), "{container:?}");
    }
}
