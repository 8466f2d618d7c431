//! Against a real registry: what is pushed comes back, by tag and by digest, and lies there as others expect it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;
use cumulet_artifact::{Shape, TransferErrorKind};
use cumulet_servers::{Kind, Server};
use cumulet_spec::id::Digest;
use cumulet_spec::manifest::Source;
use cumulet_spec::reference::Reference;

use super::{block_on, chain, logged_in, remote, remote_of};

/// A reference in a repository of its own for each test that shares a server.
fn reference(server: &Server, rest: &str) -> Reference {
    Reference::parse(&format!("{}/{rest}", server.address())).unwrap()
}

fn started(kind: Kind) -> Option<Server> {
    let server = Server::start(kind).unwrap();
    if server.is_none() {
        kind.left_out("what is pushed to and pulled from a registry").unwrap();
    }
    server
}

fn shape() -> Shape {
    Shape::Component {
        imports: vec!["wasi:io/streams@0.2.6".to_owned()],
        exports: vec!["wasi:http/incoming-handler@0.2.6".to_owned()],
    }
}

fn component(seed: u8) -> Bytes {
    [b"\0asm\x0d\0\x01\0".as_slice(), &[seed; 1000]].concat().into()
}

#[test]
fn what_is_pushed_comes_back() {
    let Some(server) = started(Kind::Registry) else { return };
    let (at, bytes) = (reference(&server, "me/front:1.0"), component(1));
    block_on(async {
        let pushed = remote().push(&at, (&bytes, &shape()), &|_| {}).await.unwrap();
        assert_eq!(pushed.digest, Digest::of(&bytes));
        assert!(pushed.sent > bytes.len() as u64);
        let again = remote().push(&at, (&bytes, &shape()), &|_| {}).await.unwrap();
        assert_eq!((again.manifest, again.sent), (pushed.manifest, 0));

        let pulled = remote().pull(&at, &|_| {}).await.unwrap();
        assert_eq!((pulled.bytes, pulled.digest, pulled.manifest), (bytes.clone(), pushed.digest, pushed.manifest));
        let by_digest = remote().pull(&at.with_digest(pushed.manifest), &|_| {}).await.unwrap();
        assert_eq!(by_digest.bytes, bytes);

        // Without a tag, the digest of its manifest alone leads to it.
        let untagged = reference(&server, "me/untagged");
        let pushed = remote().push(&untagged, (&bytes, &Shape::Module), &|_| {}).await.unwrap();
        assert_eq!(remote().pull(&untagged.with_digest(pushed.manifest), &|_| {}).await.unwrap().bytes, bytes);
        let error = remote().pull(&untagged, &|_| {}).await.unwrap_err();
        assert!(matches!(error.kind, TransferErrorKind::Unnamed), "{error:?}");
    });
}

#[test]
fn a_large_component_goes_in_pieces() {
    let Some(server) = started(Kind::Registry) else { return };
    let at = reference(&server, "me/large:1.0");
    let bytes: Bytes = (0..20_000_001_u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect::<Vec<_>>()
        .into();
    let steps = std::sync::Mutex::new(Vec::new());
    block_on(async {
        let told = |transferred: cumulet_artifact::Transferred| steps.lock().unwrap().push(transferred.bytes);
        remote().push(&at, (&bytes, &Shape::Module), &told).await.unwrap();
        assert_eq!(*steps.lock().unwrap(), [8 << 20, 16 << 20, 20_000_001, 20_000_001]);
        assert!(remote().pull(&at, &|_| {}).await.unwrap().bytes == bytes);
    });
}

#[test]
fn a_tag_that_moves_changes_nothing() {
    let Some(server) = started(Kind::Registry) else { return };
    let (at, old, new) = (reference(&server, "me/front:1.0"), component(1), component(2));
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let first = remote().push(&at, (&old, &shape()), &|_| {}).await.unwrap();
        remote().push(&at, (&new, &shape()), &|_| {}).await.unwrap();
        assert_eq!(remote().pull(&at, &|_| {}).await.unwrap().bytes, new);
        for digest in [first.digest, first.manifest] {
            let source = Source::Oci { reference: at.clone(), digest };
            let fetched = remote().fetch(&source, folder.path(), &|_| {}).await.unwrap().unwrap();
            assert_eq!((fetched.bytes, fetched.digest), (old.clone(), first.digest));
            assert_eq!(std::fs::read(fetched.path).unwrap(), old);
        }
        let source = Source::Oci { reference: at.clone(), digest: Digest::of(b"never pushed") };
        let error = remote().fetch(&source, folder.path(), &|_| {}).await.unwrap_err();
        insta::assert_snapshot!(chain(&error, server.address().port()));
    });
    // A second time nothing is asked: the server is gone.
    drop(server);
    let store = cumulet_artifact::FetchedStore::find(folder.path()).unwrap().unwrap();
    assert_eq!(store.lookup(&Digest::of(&old)).unwrap().unwrap().bytes, old);
    assert!(store.lookup(&Digest::of(&new)).unwrap().is_none());
}

#[test]
fn what_lies_there_is_the_layout_of_others() {
    let Some(server) = started(Kind::Registry) else { return };
    block_on(remote().push(&reference(&server, "me/front:1.0"), (&component(1), &shape()), &|_| {})).unwrap();
    let accept = "accept: application/vnd.oci.image.manifest.v1+json";
    let (head, manifest) = ask(server.address(), "GET", "/v2/me/front/manifests/1.0", (accept, b""));
    let head = head.to_lowercase();
    assert!(head.contains("content-type: application/vnd.oci.image.manifest.v1+json"), "{head}");
    let text = String::from_utf8(manifest).unwrap();
    let config = text.split("\"digest\":\"").nth(1).unwrap().split('"').next().unwrap();
    let (_, config) = ask(server.address(), "GET", &format!("/v2/me/front/blobs/{config}"), (accept, b""));
    insta::assert_snapshot!(format!("{text}\n{}", String::from_utf8(config).unwrap()));
}

#[test]
fn what_others_pushed_is_read() {
    let Some(server) = started(Kind::Registry) else { return };
    let bytes = component(3);
    for (repository, config_type, layer_type) in [
        // As `wkg` and wasmCloud push today.
        ("wkg", "application/vnd.wasm.config.v0+json", "application/wasm"),
        // As wasmCloud pushed before.
        ("wash", "application/vnd.wasmcloud.actor.archive.config", "application/vnd.module.wasm.content.layer.v1+wasm"),
        // As `wasm-to-oci` and Spin push.
        ("spin", "application/vnd.fermyon.spin.application.v1+config", "application/vnd.wasm.content.layer.v1+wasm"),
    ] {
        let descriptor = |media_type: &str, bytes: &[u8]| {
            let (path, body) =
                (format!("/v2/{repository}/blobs/uploads/"), ("content-type: application/octet-stream", bytes));
            let (head, _) = ask(server.address(), "POST", &path, ("accept: */*", b""));
            let place = head.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap();
            let place = place.split_once(&server.address().to_string()).unwrap().1;
            let (head, _) = ask(server.address(), "PUT", &format!("{place}&digest={}", Digest::of(bytes)), body);
            assert!(head.starts_with("HTTP/1.1 201"), "{head}");
            format!(
                r#"{{"mediaType":"{media_type}","digest":"{}","size":{},"annotations":{{"a":"b"}}}}"#,
                Digest::of(bytes),
                bytes.len()
            )
        };
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"x/y","config":{},"layers":[{}],"annotations":{{"org.opencontainers.image.title":"front"}}}}"#,
            descriptor(config_type, b"{}"),
            descriptor(layer_type, &bytes),
        );
        let kind = "content-type: application/vnd.oci.image.manifest.v1+json";
        let (head, _) =
            ask(server.address(), "PUT", &format!("/v2/{repository}/manifests/1"), (kind, manifest.as_bytes()));
        assert!(head.starts_with("HTTP/1.1 201"), "{head}");
        let pulled = block_on(remote().pull(&reference(&server, &format!("{repository}:1")), &|_| {})).unwrap();
        assert_eq!((pulled.bytes, pulled.manifest), (bytes.clone(), Digest::of(manifest.as_bytes())));
    }
}

#[test]
fn a_registry_lets_in_whom_it_knows() {
    let Some(server) = started(Kind::ProtectedRegistry) else { return };
    let (at, bytes, folder) = (reference(&server, "me/front:1.0"), component(1), tempfile::tempdir().unwrap());
    let registry = server.address().to_string();
    let mut refused = String::new();
    block_on(async {
        let nobody = remote().push(&at, (&bytes, &shape()), &|_| {}).await.unwrap_err();
        // me:letmein
        let variables = logged_in(folder.path(), &registry, "bWU6bGV0bWVpbg==");
        let stranger = remote_of(&variables).push(&at, (&bytes, &shape()), &|_| {}).await.unwrap_err();
        for error in [nobody, stranger] {
            refused.push_str(&chain(&error, server.address().port()));
            refused.push('\n');
        }
        // me:hunter2
        let known = remote_of(&logged_in(folder.path(), &registry, "bWU6aHVudGVyMg=="));
        known.push(&at, (&bytes, &shape()), &|_| {}).await.unwrap();
        assert_eq!(known.pull(&at, &|_| {}).await.unwrap().bytes, bytes);
        assert!(remote().pull(&at, &|_| {}).await.is_err());
    });
    assert!(!refused.contains("letmein"));
    insta::assert_snapshot!(refused);
}

/// One request, and the answer's head and body.
fn ask(address: SocketAddr, method: &str, path: &str, (header, body): (&str, &[u8])) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{header}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap().replace("\r\n", "\n"), answer[end + 4..].to_vec())
}
