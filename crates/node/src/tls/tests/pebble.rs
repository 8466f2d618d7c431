//! A real ACME server looks at our answers, and clients that trust it are served.

use super::Hello;
use crate::tls::acme::Renewal;
use crate::tls::shelf::Shelf;
use crate::tls::{Door, Front};
use bytes::Bytes;
use cumulet_capability::read_roots;
use cumulet_gateway::{Gateway, GatewayConfig, SecureGateway, Tls, TlsSettings};
use cumulet_servers::{Pebble, PebbleSettings};
use cumulet_spec::node::{Acme, AcmeChallenge};
use hickory_proto::op::Message;
use hickory_proto::rr::{RData, Record, RecordType};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Far beyond what a test needs: one that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(120);
/// A host that no name server knows.
const UNKNOWN: &str = "unknown.example";

/// Says of every name but one that it is this machine's.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1_024];
        while let Ok((length, client)) = socket.recv_from(&mut packet).await {
            let question = Message::from_vec(&packet[..length]).unwrap();
            let (name, kind) = (question.queries[0].name().clone(), question.queries[0].query_type());
            let mut answer = question.into_response();
            if kind == RecordType::A && !name.to_ascii().starts_with(UNKNOWN) {
                let address = RData::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
                answer.add_answers([Record::from_rdata(name, 0, address)]);
            }
            socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
        }
    });
    address
}

/// A node's listeners, and a server that looks at them.
struct Stage {
    shelf: Arc<Shelf>,
    door: Arc<Door>,
    plain: SocketAddr,
    secure: SocketAddr,
    pebble: Pebble,
}

impl Stage {
    /// Nothing where there is no Pebble.
    async fn set() -> Option<Self> {
        let shelf = Arc::new(Shelf::new(Tls::new(TlsSettings::default()).unwrap()));
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = GatewayConfig::default;
        let secure = SecureGateway::bind(any_port, config(), Hello, Arc::clone(shelf.tls())).unwrap();
        let port = secure.local_addr().port();
        let door = Arc::new(Door { shelf: Arc::clone(&shelf), tokens: Arc::default(), redirect: Some(port) });
        let front = Front { door: Arc::clone(&door), inner: Hello };
        let plain = Gateway::bind(any_port, config(), front).unwrap();
        let (plain_at, secure_at) = (plain.local_addr(), secure.local_addr());
        tokio::spawn(plain.serve(std::future::pending()));
        tokio::spawn(secure.serve(std::future::pending()));
        let dns = name_server().await;
        let settings = PebbleSettings { http_port: plain_at.port(), tls_port: secure_at.port(), dns };
        let pebble = tokio::task::spawn_blocking(move || Pebble::start(&settings)).await.unwrap().unwrap()?;
        Some(Self { shelf, door, plain: plain_at, secure: secure_at, pebble })
    }

    fn config(&self, challenge: AcmeChallenge, hosts: &[&str]) -> Acme {
        Acme {
            directory: self.pebble.directory(),
            contact: vec!["mailto:ops@example.org".to_owned()],
            roots: Some(self.pebble.own_root()),
            challenge,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        }
    }

    fn renew(&self, config: &Acme, data_dir: &Path) -> Renewal {
        Renewal::start(config, data_dir, (&self.shelf, &self.door.tokens)).unwrap()
    }

    /// Whom Pebble's certificates are trusted by.
    async fn root(&self) -> Vec<CertificateDer<'static>> {
        let own = client(&read_roots(&self.pebble.own_root()).unwrap());
        let request = Request::get(self.pebble.root_url()).body(Empty::<Bytes>::new()).unwrap();
        let body = own.request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        vec![CertificateDer::from_pem_slice(&body).unwrap()]
    }

    /// What a host answers over TLS to who trusts these.
    async fn get(&self, host: &str, roots: &[CertificateDer<'static>]) -> (u16, String) {
        let port = self.secure.port();
        let stream = tokio::net::TcpStream::connect(self.secure).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(trusting(roots)));
        let name = rustls::pki_types::ServerName::try_from(host.to_owned()).unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/path").header("host", format!("{host}:{port}"));
        let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Waits for something that must happen.
    async fn until(&self, what: impl Fn(&Shelf) -> bool) {
        let happened = async {
            while !what(&self.shelf) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, happened).await.expect("the test waits for something that does not happen");
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        self.shelf.expose(&mut text);
        text
    }
}

fn trusting(roots: &[CertificateDer<'static>]) -> ClientConfig {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth()
}

fn client(roots: &[CertificateDer<'static>]) -> Client<hyper_rustls::HttpsConnector<HttpConnector>, Empty<Bytes>> {
    let https = HttpsConnectorBuilder::new().with_tls_config(trusting(roots)).https_only().enable_http1().build();
    Client::builder(TokioExecutor::new()).build(https)
}

async fn a_certificate_is_got(challenge: AcmeChallenge) {
    let Some(stage) = Stage::set().await else {
        Pebble::left_out(&format!("a certificate by {} from an ACME server", challenge.label())).unwrap();
        return;
    };
    let data = tempfile::tempdir().unwrap();
    // One that cannot be shown to be ours does not keep the other from its certificate.
    let config = stage.config(challenge, &[UNKNOWN, "apps.example.org"]);
    let renewal = stage.renew(&config, data.path());
    stage.until(|shelf| shelf.tls().covers("apps.example.org")).await;
    let root = stage.root().await;
    let (status, body) = stage.get("apps.example.org", &root).await;
    assert_eq!((status, body), (200, format!("https://apps.example.org:{}/path", stage.secure.port())));

    // Plain requests are sent to it from now on.
    let plain: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(format!("http://{}/path", stage.plain)).header("host", "apps.example.org");
    let response = plain.request(request.body(Empty::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 308);
    let location = response.headers()["location"].to_str().unwrap();
    assert_eq!(location, format!("https://apps.example.org:{}/path", stage.secure.port()));

    let failed = format!("cumulet_acme_failed_in_a_row{{host=\"{UNKNOWN}\"}} 1");
    let metrics = stage.metrics();
    for line in [
        failed.as_str(),
        "cumulet_acme_attempts_total{host=\"apps.example.org\",result=\"done\"} 1",
        "cumulet_tls_certificate_not_after_seconds{host=\"apps.example.org\",source=\"acme\"}",
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
    drop(renewal);

    // Another start shows what is kept, before anybody is asked.
    let again = Arc::new(Shelf::new(Tls::new(TlsSettings::default()).unwrap()));
    let kept = stage.config(challenge, &["apps.example.org"]);
    let renewal = Renewal::start(&kept, data.path(), (&again, &stage.door.tokens)).unwrap();
    assert!(again.tls().covers("apps.example.org"));
    drop(renewal);
    let folder = fs::read_dir(data.path().join("acme")).unwrap().next().unwrap().unwrap().path();
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["account.1.json", "apps.example.org.pem"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_got_by_tls_alpn_01() {
    a_certificate_is_got(AcmeChallenge::TlsAlpn01).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_got_by_http_01() {
    a_certificate_is_got(AcmeChallenge::Http01).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_and_cannot_be_used_is_made_anew() {
    let Some(stage) = Stage::set().await else {
        Pebble::left_out("a certificate that is kept and cannot be used, with an ACME server").unwrap();
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let config = stage.config(AcmeChallenge::TlsAlpn01, &["apps.example.org"]);
    drop(stage.renew(&config, data.path()));
    let folder = fs::read_dir(data.path().join("acme")).unwrap().next().unwrap().unwrap().path();
    fs::write(folder.join("apps.example.org.pem"), "half a").unwrap();
    let renewal = stage.renew(&config, data.path());
    stage.until(|shelf| shelf.tls().covers("apps.example.org")).await;
    assert_eq!(stage.get("apps.example.org", &stage.root().await).await.0, 200);
    drop(renewal);
}

/// A server that was put back to an earlier state knows nothing of the account: the next attempt makes another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_no_more_is_forgotten() {
    let Some(stage) = Stage::set().await else {
        Pebble::left_out("an account that an ACME server does not know").unwrap();
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let config = stage.config(AcmeChallenge::Http01, &["apps.example.org"]);
    let renewal = stage.renew(&config, data.path());
    stage.until(|shelf| shelf.tls().covers("apps.example.org")).await;
    drop(renewal);
    let folder = fs::read_dir(data.path().join("acme")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(folder.join("apps.example.org.pem")).unwrap();
    let account = folder.join("account.1.json");
    let mut kept: serde_json::Value = serde_json::from_slice(&fs::read(&account).unwrap()).unwrap();
    kept["id"] = format!("{}0", kept["id"].as_str().unwrap()).into();
    fs::write(&account, kept.to_string()).unwrap();
    let renewal = stage.renew(&config, data.path());
    let failed = "cumulet_acme_failed_in_a_row{host=\"apps.example.org\"} 1";
    stage
        .until(|shelf| {
            let mut text = String::new();
            shelf.expose(&mut text);
            text.contains(failed)
        })
        .await;
    assert!(!account.exists(), "what is kept of it would fail for ever");
    assert!(stage.shelf.tls().covers("apps.example.org"), "what was shown stays");
    drop(renewal);
}
