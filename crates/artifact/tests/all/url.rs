//! Components behind a URL.

use cumulet_artifact::{FetchError, FetchedStore, TransferErrorKind};
use cumulet_spec::id::Digest;
use cumulet_spec::manifest::Source;

use super::server::{Answer, Server};
use super::{block_on, chain, remote};

const BYTES: &[u8] = b"\0asm\x0d\0\x01\0";

fn source(server: &Server, path: &str, digest: Digest) -> Source {
    Source::Url { url: format!("http://{}{path}", server.address), digest }
}

#[test]
fn a_component_is_fetched_once_and_kept() {
    let server = Server::start(|asked, _| match asked.line.as_str() {
        "GET /moved?token=hunter2" => Answer::status(302, "location: /front.wasm\r\n", ""),
        _ => Answer::ok(BYTES),
    });
    let (folder, digest) = (tempfile::tempdir().unwrap(), Digest::of(BYTES));
    assert!(FetchedStore::find(folder.path()).unwrap().is_none());
    let source = source(&server, "/moved?token=hunter2", digest);
    let fetched = block_on(remote().fetch(&source, folder.path(), &|_| {})).unwrap().unwrap();
    assert_eq!((&fetched.bytes[..], fetched.digest), (BYTES, digest));
    let store = FetchedStore::find(folder.path()).unwrap().unwrap();
    assert_eq!(store.get(&digest).unwrap(), fetched);
    assert_eq!(server.lines(), ["GET /moved?token=hunter2", "GET /front.wasm"]);

    // What was changed on the disk is not used, and is to be fetched again.
    std::fs::write(&fetched.path, b"\0asm\x0d\0\x01\x01").unwrap();
    assert!(store.lookup(&digest).unwrap().is_none());
}

#[test]
fn what_must_not_be_is_not_fetched() {
    let server = Server::start(|asked, _| match asked.line.as_str() {
        "GET /large" => Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 268435457\r\n\r\n".to_vec()),
        "GET /gone?token=hunter2" => Answer::status(410, "", "it is gone"),
        _ => Answer::ok(b"<html>"),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut seen = String::new();
    for path in ["/other", "/large", "/gone?token=hunter2"] {
        let source = source(&server, path, Digest::of(BYTES));
        let error = block_on(remote().fetch(&source, folder.path(), &|_| {})).unwrap_err();
        seen.push_str(&chain(&error, server.address.port()));
        seen.push('\n');
    }
    for url in
        ["http://example.com/front.wasm", "ftp://127.0.0.1/front.wasm", "http://127.0.0.1.example.com/front.wasm"]
    {
        let source = Source::Url { url: url.to_owned(), digest: Digest::of(BYTES) };
        let error = block_on(remote().fetch(&source, folder.path(), &|_| {})).unwrap_err();
        assert!(matches!(error, FetchError::Transfer(_, TransferErrorKind::Insecure)), "{url}: {error:?}");
    }
    assert_eq!(server.asked().len(), 3);
    assert!(!seen.contains("hunter2"));
    insta::assert_snapshot!(seen);
}
