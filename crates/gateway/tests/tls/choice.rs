//! Which certificate, which version, which protocol.

use std::sync::Arc;

use cumulet_gateway::{Certificate, GatewayConfig, HandshakeEnd, TlsSettings};
use cumulet_spec::node::TlsVersion;
use rustls::ProtocolVersion;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::version::{TLS12, TLS13};

use crate::Server;
use crate::authority::{Authority, Pair};
use crate::client::Client;

/// Certificates under the names that a test gives them.
struct Titled(Vec<(&'static str, Pair)>);

impl Titled {
    fn new(authority: &Authority, certificates: &[(&'static str, &[&str])]) -> Self {
        Self(certificates.iter().map(|(title, names)| (*title, authority.pair(names))).collect())
    }

    fn certificates(&self) -> Vec<Arc<Certificate>> {
        self.0.iter().map(|(_, pair)| pair.certificate()).collect()
    }

    /// The title of the certificate that a host is shown, or the error.
    async fn shown(&self, client: &Client, server: &Server, host: &str) -> String {
        match client.connect(server.address, host).await {
            Ok(stream) => {
                let shown = stream.get_ref().1.peer_certificates().unwrap().first().unwrap();
                self.0.iter().find(|(_, pair)| pair.der == *shown).unwrap().0.to_owned()
            }
            Err(error) => error,
        }
    }
}

#[tokio::test]
async fn the_name_that_is_asked_for_decides() {
    const NOBODY: &str = "received fatal alert: UnrecognisedName";
    let authority = Authority::new();
    let server = Server::start();
    let titled = Titled::new(
        &authority,
        &[
            ("exact", &["shop.example.org", "WWW.example.org"]),
            ("wild", &["*.example.org", "example.org"]),
            ("late", &["shop.example.org", "late.example.net"]),
        ],
    );
    server.tls.install(&titled.certificates(), None);
    let client = Client::new(&authority, &[]);
    for (host, expect) in [
        ("shop.example.org", "exact"),
        ("SHOP.example.org", "exact"),
        ("www.example.org", "exact"),
        ("other.example.org", "wild"),
        ("example.org", "wild"),
        ("a.b.example.org", NOBODY),
        ("late.example.net", "late"),
        ("example.net", NOBODY),
        ("xample.org", NOBODY),
        // An address is no name.
        ("127.0.0.1", NOBODY),
    ] {
        assert_eq!(titled.shown(&client, &server, host).await, expect, "{host}");
        assert_eq!(server.tls.covers(host), expect != NOBODY, "{host}");
    }
    server.counted(HandshakeEnd::UnknownName, 4).await;
    server.counted(HandshakeEnd::Done, 6).await;
}

#[tokio::test]
async fn the_default_is_for_everybody_else() {
    let authority = Authority::new();
    let server = Server::start();
    let titled = Titled::new(&authority, &[("own", &["a.example"]), ("default", &["a.example", "nobody.example"])]);
    let certificates = titled.certificates();
    server.tls.install(&certificates, certificates.last());
    let client = Client::new(&authority, &[]);
    assert_eq!(titled.shown(&client, &server, "a.example").await, "own");
    assert_eq!(titled.shown(&client.clone().nameless(), &server, "a.example").await, "default");
    let other = titled.shown(&client, &server, "b.example").await;
    assert!(other.contains("not valid for name"), "{other}");
    assert!(!server.tls.covers("b.example"), "the default covers nothing but its own names");
}

#[tokio::test]
async fn a_request_is_asked_for_over_https() {
    let authority = Authority::new();
    let server = Server::start();
    server.tls.install(&[authority.certificate(&["a.example"])], None);
    for protocols in [&["h2", "http/1.1"][..], &["h2"], &["http/1.1"], &[]] {
        let client = Client::new(&authority, protocols);
        for (url, expect) in [
            ("https://a.example/path?query", "https://a.example/path?query"),
            ("https://a.example:8443/", "https://a.example:8443/"),
            // Whatever the client calls it.
            ("http://a.example/", "https://a.example/"),
        ] {
            let got = client.get(server.address, url).await;
            assert_eq!(got, Ok((200, expect.to_owned())), "{protocols:?}");
        }
        let (status, body) = client.get(server.address, "https://a.example/large").await.unwrap();
        assert_eq!((status, body.len()), (200, 1 << 20), "{protocols:?}");
    }
}

#[tokio::test]
async fn protocols_and_versions_are_agreed_upon() {
    let authority = Authority::new();
    for (min_version, versions, expect) in [
        (TlsVersion::Tls12, &[&TLS13, &TLS12][..], Ok(ProtocolVersion::TLSv1_3)),
        (TlsVersion::Tls12, &[&TLS12], Ok(ProtocolVersion::TLSv1_2)),
        (TlsVersion::Tls13, &[&TLS13], Ok(ProtocolVersion::TLSv1_3)),
        (TlsVersion::Tls13, &[&TLS12], Err("ProtocolVersion")),
    ] {
        let server =
            Server::configured(GatewayConfig::default(), TlsSettings { min_version, ..TlsSettings::default() });
        server.tls.install(&[authority.certificate(&["a.example"])], None);
        let client = Client::speaking(&authority, &["http/1.1", "h2"], versions);
        match (client.connect(server.address, "a.example").await, expect) {
            (Ok(stream), Ok(version)) => {
                let (_, connection) = stream.get_ref();
                assert_eq!(connection.protocol_version(), Some(version));
                assert_eq!(connection.alpn_protocol(), Some(&b"h2"[..]), "the server prefers it");
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (got, expect) => panic!("{min_version:?}: {got:?}, not {expect:?}"),
        }
    }
    let server = Server::start();
    server.tls.install(&[authority.certificate(&["a.example"])], None);
    let error = Client::new(&authority, &["gopher"]).connect(server.address, "a.example").await.unwrap_err();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
    server.counted(HandshakeEnd::Failed, 1).await;
}

#[tokio::test]
async fn a_challenge_is_answered_while_it_is_under_way() {
    let authority = Authority::new();
    let server = Server::start();
    let titled = Titled::new(&authority, &[("own", &["a.example"]), ("proof", &["a.example"])]);
    server.tls.install(&titled.certificates()[..1], None);
    let proof = &titled.0[1].1;
    let key = PrivateKeyDer::from_pem_slice(proof.key.as_bytes()).unwrap();
    let asking = Client::new(&authority, &["acme-tls/1"]);
    let refused = titled.shown(&asking, &server, "a.example").await;
    assert!(refused.contains("UnrecognisedName"), "not under way: {refused}");
    let answer = server.tls.answer_challenge("A.example", (proof.der.clone(), key)).unwrap();
    assert_eq!(titled.shown(&asking, &server, "a.example").await, "proof");
    assert!(titled.shown(&asking, &server, "b.example").await.contains("UnrecognisedName"));
    // Who wants HTTP as well is a client like any other.
    assert_eq!(titled.shown(&Client::new(&authority, &["acme-tls/1", "h2"]), &server, "a.example").await, "own");
    assert_eq!(titled.shown(&Client::new(&authority, &[]), &server, "a.example").await, "own");
    server.counted(HandshakeEnd::Challenge, 1).await;
    drop(answer);
    assert!(titled.shown(&asking, &server, "a.example").await.contains("UnrecognisedName"));
}
