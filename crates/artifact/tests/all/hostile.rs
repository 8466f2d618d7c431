//! A registry that answers nonsense gets a clear error and little work, whatever it says.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use cumulet_artifact::Shape;
use cumulet_spec::id::Digest;
use cumulet_spec::manifest::Source;
use cumulet_spec::reference::Reference;

use super::server::{Answer, Asked, Server};
use super::{block_on, chain, logged_in, remote, remote_of};

const MANIFEST_TYPE: &str = "content-type: application/vnd.oci.image.manifest.v1+json\r\n";
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const BYTES: &[u8] = b"\0asm\x0d\0\x01\0";

fn reference(server: &Server) -> Reference {
    Reference::parse(&format!("{}/me/front:1.0", server.registry())).unwrap()
}

fn manifest(layer_type: &str, digest: Digest, size: u64) -> String {
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"x","digest":"{digest}","size":2}},"layers":[{{"mediaType":"{layer_type}","digest":"{digest}","size":{size}}}]}}"#
    )
}

/// A registry with one good manifest, whose blob is answered as given.
fn with_blob(size: u64, blob: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |asked, _| {
        if asked.line.contains("/manifests/") {
            return Answer::status(200, MANIFEST_TYPE, manifest("application/wasm", Digest::of(BYTES), size));
        }
        blob(asked)
    })
}

fn with_manifest(text: impl AsRef<[u8]> + Send + Sync + 'static) -> Server {
    Server::start(move |_, _| Answer::status(200, MANIFEST_TYPE, &text))
}

/// What a pull of `:1.0` comes to, and how often the registry was asked.
fn pull(server: &Server) -> String {
    let error = block_on(remote().pull(&reference(server), &|_| {})).unwrap_err();
    format!("{}\n  asked {} times", chain(&error, server.address.port()), server.asked().len())
}

#[test]
fn nonsense_instead_of_a_component() {
    let size = BYTES.len() as u64;
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n\0asm";
    let cases = [
        ("another manifest", with_manifest("[]")),
        ("no JSON", with_manifest("<html>")),
        ("a later manifest", with_manifest(r#"{"schemaVersion":3}"#)),
        (
            "an index",
            with_manifest(format!(
                r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"x","digest":"{}","size":1}}]}}"#,
                Digest::of(b"")
            )),
        ),
        (
            "a container image",
            with_manifest(manifest("application/vnd.oci.image.layer.v1.tar+gzip", Digest::of(b""), 1)),
        ),
        ("a terminal's commands", with_manifest(manifest("\\u001b[2J", Digest::of(b""), 1))),
        ("an endless manifest", Server::start(|_, _| Answer::Endless(ENDLESS))),
        ("a large layer", with_manifest(manifest("application/wasm", Digest::of(b""), u64::MAX))),
        ("other bytes", with_blob(size, |_| Answer::ok(b"\0asm\x0d\0\x01\x01"))),
        ("fewer bytes", with_blob(size, |_| Answer::ok(b"\0asm"))),
        ("more bytes", with_blob(size, |_| Answer::ok(b"\0asm\x0d\0\x01\0\0\0\0"))),
        ("truncated", with_blob(size, move |_| Answer::Bytes(cut.into()))),
        ("endless", with_blob(size, |_| Answer::Endless(ENDLESS))),
        ("no such blob", with_blob(size, |_| Answer::status(404, "", ""))),
        ("no such tag", Server::start(|_, _| Answer::status(404, "", r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#))),
        ("an error", Server::start(|_, _| Answer::status(500, "", r#"{"errors":[{"code":"X","message":"on fire"}]}"#))),
        (
            "an endless error",
            Server::start(|_, _| Answer::Endless("HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\n")),
        ),
        ("no HTTP", Server::start(|_, _| Answer::Bytes(b"SSH-2.0-x\r\n".to_vec()))),
        ("nothing", Server::start(|_, _| Answer::Bytes(Vec::new()))),
    ];
    let mut seen = String::new();
    for (name, server) in cases {
        writeln!(seen, "{name}: {}", pull(&server)).unwrap();
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn redirects_are_bounded_and_stay_encrypted() {
    let to = |place: &'static str| with_blob(8, move |_| Answer::status(307, &format!("location: {place}\r\n"), ""));
    let cases = [
        ("a loop", with_blob(8, |asked| Answer::status(302, &format!("location: {}\r\n", &asked.line[4..]), ""))),
        ("to plain HTTP", to("http://storage.example/blob?signature=hunter2")),
        ("to a file", to("file:///etc/passwd")),
        ("to nowhere", with_blob(8, |_| Answer::status(301, "", ""))),
    ];
    let mut seen = String::new();
    for (name, server) in cases {
        writeln!(seen, "{name}: {}", pull(&server)).unwrap();
    }
    assert!(!seen.contains("hunter2"));
    insta::assert_snapshot!(seen);
}

#[test]
fn who_asks_is_not_told_elsewhere() {
    let storage = Server::start(|_, _| Answer::ok(BYTES));
    let place = format!("location: http://{}/blob\r\n", storage.address);
    let server = with_blob(BYTES.len() as u64, move |asked| match asked.header("authorization") {
        Some(_) => Answer::status(307, &place, ""),
        None => Answer::status(401, "www-authenticate: Basic realm=\"x\"\r\n", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let remote = remote_of(&logged_in(folder.path(), &server.registry(), "bWU6aHVudGVyMg=="));
    let pulled = block_on(remote.pull(&reference(&server), &|_| {})).unwrap();
    assert_eq!(pulled.bytes, BYTES);
    assert!(server.asked().iter().any(|asked| asked.header("authorization") == Some("Basic bWU6aHVudGVyMg==")));
    assert_eq!(storage.asked().len(), 1);
    assert_eq!(storage.asked()[0].header("authorization"), None);
}

#[test]
fn a_token_is_fetched_and_used() {
    let server = Server::start(|asked, address| {
        if asked.line.starts_with("GET /token?") {
            return Answer::ok(r#"{"token":"t0ken"}"#);
        }
        if asked.header("authorization") != Some("Bearer t0ken") {
            let challenge =
                format!("www-authenticate: Bearer realm=\"http://{address}/token\",service=\"a registry\"\r\n");
            return Answer::status(401, &challenge, "");
        }
        if asked.line.contains("/manifests/") {
            return Answer::status(
                200,
                MANIFEST_TYPE,
                manifest("application/wasm", Digest::of(BYTES), BYTES.len() as u64),
            );
        }
        Answer::ok(BYTES)
    });
    let folder = tempfile::tempdir().unwrap();
    let remote = remote_of(&logged_in(folder.path(), &server.registry(), "bWU6aHVudGVyMg=="));
    assert_eq!(block_on(remote.pull(&reference(&server), &|_| {})).unwrap().bytes, BYTES);
    insta::assert_snapshot!(server.lines().join("\n").replace(&Digest::of(BYTES).to_string(), "DIGEST"));
    let asked = server.asked();
    assert_eq!(asked[1].header("authorization"), Some("Basic bWU6aHVudGVyMg=="));
    assert!(asked[2..].iter().all(|asked| asked.header("authorization") == Some("Bearer t0ken")));
}

#[test]
fn a_login_that_is_a_token_is_changed_for_one() {
    let server = Server::start(|asked, address| match (asked.line.as_str(), asked.header("authorization")) {
        ("POST /token", None) => Answer::ok(r#"{"access_token":"short"}"#),
        (line, Some("Bearer short")) if line.contains("/manifests/") => {
            Answer::ok(manifest("application/wasm", Digest::of(BYTES), BYTES.len() as u64))
        }
        (_, Some("Bearer short")) => Answer::ok(BYTES),
        _ => {
            let challenge = format!("www-authenticate: Bearer realm=\"http://{address}/token\",service=\"r\"\r\n");
            Answer::status(401, &challenge, "")
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let variables = logged_in(folder.path(), &server.registry(), "");
    let config = format!(r#"{{"auths":{{"{}":{{"identitytoken":"l0gin"}}}}}}"#, server.registry());
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    assert_eq!(block_on(remote_of(&variables).pull(&reference(&server), &|_| {})).unwrap().bytes, BYTES);
    let form =
        "grant_type=refresh_token&client_id=cumulet&service=r&scope=repository%3Ame%2Ffront%3Apull&refresh_token=l0gin";
    let asked = server.asked().into_iter().find(|asked| asked.line == "POST /token").unwrap();
    assert_eq!(asked.body, form);
}

#[test]
fn who_asks_is_asked_without_an_end() {
    let bearer = |realm: &str| format!("www-authenticate: Bearer realm=\"{realm}\"\r\n");
    let own = move |address| bearer(&format!("http://{address}/token"));
    let cases = [
        ("basic", Server::start(|_, _| Answer::status(401, "www-authenticate: Basic realm=\"x\"\r\n", ""))),
        ("no challenge", Server::start(|_, _| Answer::status(401, "", ""))),
        ("another way", Server::start(|_, _| Answer::status(401, "www-authenticate: Negotiate\r\n", ""))),
        (
            "no token",
            Server::start(move |asked, address| match asked.line.starts_with("GET /token") {
                true => Answer::ok("{}"),
                false => Answer::status(401, &own(address), ""),
            }),
        ),
        (
            "a token for nothing",
            Server::start(move |asked, address| match asked.line.starts_with("GET /token") {
                true => Answer::ok(r#"{"access_token":"x"}"#),
                false => Answer::status(401, &own(address), ""),
            }),
        ),
        (
            "an endless token",
            Server::start(move |asked, address| match asked.line.starts_with("GET /token") {
                true => Answer::Endless(ENDLESS),
                false => Answer::status(401, &own(address), ""),
            }),
        ),
        ("a token in the clear", Server::start(move |_, _| Answer::status(401, &bearer("http://tokens.example/"), ""))),
    ];
    let mut seen = String::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, server) in cases {
        writeln!(seen, "{name}: {}", pull(&server)).unwrap();
        let known = remote_of(&logged_in(folder.path(), &server.registry(), "bWU6aHVudGVyMg=="));
        let error = block_on(known.pull(&reference(&server), &|_| {})).unwrap_err();
        writeln!(seen, "{name}, logged in: {}", chain(&error, server.address.port())).unwrap();
    }
    assert!(!seen.contains("hunter2"));
    insta::assert_snapshot!(seen);
}

#[test]
fn what_may_pass_is_asked_for_again() {
    let failures = AtomicU32::new(0);
    let server = with_blob(BYTES.len() as u64, move |_| match failures.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::status(503, "", ""),
        1 => Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n\0asm".to_vec()),
        _ => Answer::ok(BYTES),
    });
    assert_eq!(block_on(remote().pull(&reference(&server), &|_| {})).unwrap().bytes, BYTES);
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn nothing_is_kept_of_what_is_not_the_digest() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Answer::ok(b"something else"));
    let source = Source::Oci { reference: reference(&server), digest: Digest::of(BYTES) };
    let error = block_on(remote().fetch(&source, folder.path(), &|_| {})).unwrap_err();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    insta::assert_snapshot!(chain(&error, server.address.port()));
}

#[test]
fn an_upload_goes_where_it_may() {
    let to = |place: &'static str| {
        Server::start(move |asked, _| match asked.line.starts_with("POST") {
            true => Answer::status(202, place, ""),
            false => Answer::status(404, "", ""),
        })
    };
    let cases = [
        ("nowhere", to("")),
        ("plain HTTP", to("location: http://storage.example/upload?signature=hunter2\r\n")),
        ("refused", Server::start(|_, _| Answer::status(405, "", r#"{"errors":[{"code":"UNSUPPORTED"}]}"#))),
        ("not taken", to("location: /upload?state=1\r\n")),
        ("redirected", Server::start(|_, _| Answer::status(307, "location: /elsewhere\r\n", ""))),
    ];
    let mut seen = String::new();
    for (name, server) in cases {
        let push = block_on(async {
            remote().push(&reference(&server), (&Bytes::from_static(BYTES), &Shape::Module), &|_| {}).await
        });
        let error = push.unwrap_err();
        writeln!(seen, "{name}: {}", chain(&error, server.address.port())).unwrap();
    }
    assert!(!seen.contains("hunter2"));
    insta::assert_snapshot!(seen);
}
