mod deployed;

use super::{Node, ServeOptions};
use cumulet_spec::manifest::Manifest;
use std::path::Path;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends a request for `path` to the authority of `url`.
async fn ask(url: &str, path: &str) -> TcpStream {
    let authority = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: node.test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn status(mut stream: TcpStream) -> String {
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_for_the_first_revision() {
    let guest =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/target/wasm32-wasip2/release/hostile.wasm");
    assert!(guest.exists(), "the guests are not built: run `cargo xtask guests`");
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(ServeOptions::for_tests(data.path())).unwrap();
    let early = ask(node.url(), "/count").await;
    assert_eq!(status(ask(node.admin_url(), "/healthz").await).await, "503");
    node.install(node.load(&Manifest::single(&guest), data.path(), |_step| {}).await.unwrap());
    assert_eq!(status(early).await, "200", "it waited, and was not told that there is no route");
    assert_eq!(status(ask(node.admin_url(), "/healthz").await).await, "200");
    assert_eq!(node.drain().await.cut, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_never_served_drains() {
    let data = tempfile::tempdir().unwrap();
    let drained = Node::start(ServeOptions::for_tests(data.path())).unwrap().drain().await;
    assert_eq!((drained.finished, drained.cut), (0, 0));
}
