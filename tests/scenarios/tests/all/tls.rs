//! TLS on a node of many apps: what an app sees of it, and certificates that are replaced under it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use cumulet_scenarios::fleet::{App, Fleet};
use cumulet_scenarios::http1::Connection;
use cumulet_scenarios::once::cumulet;
use cumulet_scenarios::server::Server;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio_rustls::TlsConnector;

const HOST: &str = "front.acme.localhost";

/// Signs certificates, and is trusted.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Puts a new certificate for the host where it is read, as whoever renews does.
    fn renew(&self, folder: &Path) -> anyhow::Result<CertificateDer<'static>> {
        self.sign(folder, HOST)
    }

    fn sign(&self, folder: &Path, host: &str) -> anyhow::Result<CertificateDer<'static>> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &self.0)?;
        for (name, text) in [("key.pem", key.serialize_pem()), ("chain.pem", certificate.pem())] {
            let aside = folder.join("aside");
            fs::write(&aside, text)?;
            fs::rename(&aside, folder.join(name))?;
        }
        Ok(certificate.der().clone())
    }

    fn connector(&self, protocol: &str) -> anyhow::Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = versions.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// What the app answers at `/headers` over a protocol, and the certificate that was shown before.
async fn ask(
    address: SocketAddr,
    authority: &Authority,
    protocol: &str,
) -> anyhow::Result<(String, CertificateDer<'static>)> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    let stream = authority.connector(protocol)?.connect(ServerName::try_from(HOST)?, stream).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(|all| all.first()).context("nothing was shown")?;
    let (shown, io) = (shown.clone().into_owned(), TokioIo::new(stream));
    let response = if protocol == "h2" {
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        let request = Request::get(format!("https://{HOST}/headers"));
        sender.send_request(request.body(Empty::<Bytes>::new())?).await?
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection);
        let request = Request::get("/headers").header("host", HOST);
        sender.send_request(request.body(Empty::<Bytes>::new())?).await?
    };
    ensure!(response.status() == 200, "{response:?}");
    let body = response.into_body().collect().await?.to_bytes();
    Ok((String::from_utf8(body.to_vec())?, shown))
}

/// Where it says that it speaks TLS.
fn secure_address(server: &Server) -> anyhow::Result<SocketAddr> {
    server.stdout.wait_for("address of TLS", |line| {
        let ready: Value = serde_json::from_str(line).ok()?;
        ready.get("tls")?.as_str()?.trim_start_matches("https://").trim_end_matches('/').parse().ok()
    })
}

#[test]
fn an_app_is_asked_over_https_and_a_new_certificate_needs_no_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::new()?;
    let first = authority.renew(folder.path())?;
    let file = |name: &str| folder.path().join(name);
    let fleet = Fleet::new(&format!(
        "[tls]\nlisten = \"127.0.0.1:0\"\nredirect = true\n[[tls.certificate]]\nchain = {:?}\nkey = {:?}\n",
        file("chain.pem"),
        file("key.pem")
    ))?;
    let app = App { tenant: "acme", name: "front".into(), source: fleet.component("hostile.wasm", "front")?, more: "" };
    for end in fleet.deploy(&[app])? {
        ensure!(end.is_ok(), "{end:?}");
    }
    let server = fleet.serve()?;
    let secure = secure_address(&server)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for protocol in ["h2", "http/1.1"] {
        let (seen, shown) = runtime.block_on(ask(secure, &authority, protocol))?;
        ensure!(seen.contains("scheme Some(Scheme::Https)"), "{protocol}: {seen}");
        ensure!(seen.contains(&format!("authority Some(\"{HOST}\")")), "{protocol}: {seen}");
        ensure!(shown == first);
    }

    // Whoever asks in plain text is sent on.
    let mut connection = Connection::open(server.address)?;
    connection.request_to(HOST, ("GET", "/headers?a=b"), &[])?;
    let reply = connection.reply("GET")?;
    ensure!(reply.status() == 308, "{reply:?}");
    let expect = format!("https://{HOST}:{}/headers?a=b", secure.port());
    ensure!(reply.header("location") == Some(expect.as_str()), "{reply:?}");

    let second = authority.renew(folder.path())?;
    server
        .stderr
        .wait_for("a new certificate", |line| line.contains("a new TLS certificate is shown").then_some(()))?;
    let (_, shown) = runtime.block_on(ask(secure, &authority, "h2"))?;
    ensure!(shown == second);

    fs::write(file("key.pem"), "half a key")?;
    let refused = server
        .stderr
        .wait_for("a refusal", |line| line.contains("a new TLS certificate is refused").then(|| line.to_owned()))?;
    ensure!(refused.contains("key.pem"), "{refused}");
    let (_, shown) = runtime.block_on(ask(secure, &authority, "h2"))?;
    ensure!(shown == second);

    let metrics = server.admin("/metrics")?.text();
    for line in [
        "cumulet_tls_handshakes_total{end=\"done\"} 4",
        &format!("cumulet_tls_certificate_not_after_seconds{{host=\"{HOST}\",source=\"file\"}} "),
    ] {
        ensure!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
    server.stop()
}

#[test]
fn the_operator_is_heard_over_https_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::new()?;
    authority.sign(folder.path(), "localhost")?;
    let file = |name: &str| folder.path().join(name);
    fs::write(file("ca.pem"), authority.0.pem())?;
    let fleet = Fleet::new(&format!(
        "[tls]\nlisten = \"127.0.0.1:0\"\nadmin = true\n[[tls.certificate]]\nchain = {:?}\nkey = {:?}\n",
        file("chain.pem"),
        file("key.pem")
    ))?;
    let server = fleet.serve()?;
    let (data, ca) = (fleet.data(), file("ca.pem"));
    let (data, ca) = (data.to_str().context("a path of text")?, ca.to_str().context("a path of text")?);
    let node = format!("https://localhost:{}", server.admin_address().port());
    let ask = |arguments: &[&str]| cumulet(&[arguments, &["--data-dir", data]].concat(), b"");
    let apps = ask(&["apps", "--node", &node, "--ca", ca, "--json"])?;
    ensure!(apps.code == Some(0) && apps.stdout.trim() == "{\"apps\":[]}", "{apps:?}");
    let usage = ask(&["usage", "--node", &node, "--ca", ca])?;
    ensure!(usage.code == Some(0) && usage.stdout.contains("REQUESTS"), "{usage:?}");
    // Whoever does not know the authority sends no token, and nobody is answered in plain text.
    let stranger = ask(&["apps", "--node", &node])?;
    ensure!(stranger.code == Some(4) && stranger.stderr.contains("--ca FILE"), "{stranger:?}");
    let plain = ask(&["apps", "--node", &node.replace("https", "http")])?;
    ensure!(plain.code == Some(4), "{plain:?}");
    let key = file("key.pem");
    let wrong = ask(&["apps", "--node", &node, "--ca", key.to_str().context("a path of text")?])?;
    ensure!(wrong.code == Some(2) && wrong.stderr.contains("no certificate"), "{wrong:?}");
    server.stop()
}
