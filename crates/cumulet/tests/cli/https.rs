//! A component behind an `https://` URL: whose certificate is trusted, and where a redirect may lead.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::session;

const COMPONENT: &str = "(component)";

/// A server of `localhost` with a certificate of its own authority, which it writes to `authority`. Its thread ends with
/// the process.
fn start(authority: &Path) -> SocketAddr {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    fs::write(authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // A client that does not trust us hangs up.
            let _served = serve(StreamOwned::new(connection, stream.unwrap()), address);
        }
    });
    address
}

fn serve(mut stream: StreamOwned<ServerConnection, TcpStream>, address: SocketAddr) -> std::io::Result<()> {
    let mut head = [0; 4096];
    let read = stream.read(&mut head)?;
    let line = String::from_utf8_lossy(&head[..read]);
    let answer = match line.split(' ').nth(1) {
        Some("/front.wat") => format!("200 OK\r\ncontent-length: {}\r\n\r\n{COMPONENT}", COMPONENT.len()),
        Some("/moved") => format!(
            "302 Found\r\nlocation: https://localhost:{}/front.wat\r\ncontent-length: 0\r\n\r\n",
            address.port()
        ),
        _ => "302 Found\r\nlocation: http://127.0.0.1:1/front.wat\r\ncontent-length: 0\r\n\r\n".to_owned(),
    };
    stream.write_all(format!("HTTP/1.1 {answer}").as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}

#[test]
fn certificates_are_checked_and_redirects_stay_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let port = start(&authority).port();
    // sha256sum of the component's text.
    let digest = "sha256:fa69abd0e355ea21aeaf9cd3b36e1bf6a4944ee9df0be50d1c764b43eaa1dce6";
    let mut seen = String::new();
    for (path, trusted) in [("front.wat", false), ("front.wat", true), ("moved", true), ("downgraded", true)] {
        let source = format!("source = {{ url = \"https://localhost:{port}/{path}\", digest = \"{digest}\" }}");
        let manifest = format!("manifest = 1\n[app]\nname = \"shop\"\n[component.front]\n{source}\n");
        let app = tempfile::tempdir_in(folder.path()).unwrap();
        fs::write(app.path().join("cumulet.toml"), manifest).unwrap();
        let mut command = session::command(app.path());
        if trusted {
            command.env("SSL_CERT_FILE", &authority);
        }
        let shown = session::show(&command.arg("check").output().unwrap(), app.path());
        let shown = shown.replace(&format!("localhost:{port}"), "localhost:[PORT]");
        writeln!(seen, "/{path}, {}\n{shown}", if trusted { "trusted" } else { "not trusted" }).unwrap();
    }
    insta::assert_snapshot!(seen);
}
