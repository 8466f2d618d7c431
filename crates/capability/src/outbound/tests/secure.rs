//! TLS: whom a component trusts, and HTTP/2 over it.

use super::*;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use std::convert::Infallible;
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;

/// An authority, and a certificate of it for `app.localhost`.
struct Authority {
    pem: String,
    tls: Arc<rustls::ServerConfig>,
}

impl Authority {
    fn new(protocols: &[&str]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["app.localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut tls = rustls::ServerConfig::builder_with_provider(roots::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { pem: authority.pem(), tls: Arc::new(tls) }
    }

    /// Its certificate, by way of a file.
    fn roots(&self) -> Vec<CertificateDer<'static>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &self.pem).unwrap();
        read_roots(file.path()).unwrap()
    }

    fn outbound(&self, origin: &str) -> Arc<Outbound> {
        let resolver: Option<Arc<dyn Resolve>> = Some(Names::all("127.0.0.1"));
        let options = OutboundOptions { extra_roots: self.roots(), resolver, witness: None };
        outbound_with(&[origin], options)
    }

    /// A server that answers with the version of the request. Paths under `/together` are answered once `together` of
    /// them have come; `/long` has a head beyond the bound.
    async fn serve(&self, together: usize) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (acceptor, connections) = (TlsAcceptor::from(Arc::clone(&self.tls)), Arc::new(AtomicUsize::new(0)));
        let (counter, barrier) = (Arc::clone(&connections), Arc::new(Barrier::new(together)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let (acceptor, barrier) = (acceptor.clone(), Arc::clone(&barrier));
                tokio::spawn(serve_connection(acceptor, stream, barrier));
            }
        });
        (port, connections)
    }
}

async fn serve_connection(acceptor: TlsAcceptor, stream: TcpStream, barrier: Arc<Barrier>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| answer(request, Arc::clone(&barrier)));
    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    drop(server.serve_connection(TokioIo::new(stream), service).await);
}

async fn answer(
    request: http::Request<hyper::body::Incoming>,
    barrier: Arc<Barrier>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/together" {
        barrier.wait().await;
    }
    let mut response = http::Response::new(Full::from(format!("{:?} {}", request.version(), request.uri())));
    if request.uri().path() == "/long" {
        let long = "a".repeat(bounds::HEAD_BYTES_MAX as usize);
        response.headers_mut().insert("x-long", long.parse().unwrap());
    }
    Ok(response)
}

#[tokio::test]
async fn requests_share_an_http_2_connection() {
    let together = 8;
    let authority = Authority::new(&["h2", "http/1.1"]);
    let (port, connections) = authority.serve(together).await;
    let origin = format!("https://app.localhost:{port}");
    let outbound = authority.outbound(&origin);
    // The authority that HTTP/2 sends is the one that was checked, too.
    let spelled = format!("https://APP.localhost.:{port}/first");
    assert_eq!(text(&outbound, get(&spelled)).await.unwrap(), format!("HTTP/2.0 {origin}/first"));
    // None is answered before all have come.
    let uri = format!("{origin}/together");
    let requests = (0..together).map(|_| text(&outbound, get(&uri)));
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(answer.unwrap(), format!("HTTP/2.0 {uri}"));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert_eq!(refusal(&outbound, get(&format!("{origin}/long"))).await, "HttpResponseHeaderSectionSize");
}

#[tokio::test]
async fn a_server_without_http_2_is_spoken_to_in_http_1() {
    let authority = Authority::new(&["http/1.1"]);
    let (port, _connections) = authority.serve(1).await;
    let origin = format!("https://app.localhost:{port}");
    assert_eq!(text(&authority.outbound(&origin), get(&origin)).await.unwrap(), "HTTP/1.1 /");
}

#[tokio::test]
async fn only_trusted_servers_are_spoken_to() {
    let (authority, other) = (Authority::new(&["h2"]), Authority::new(&["h2"]));
    let (port, _connections) = authority.serve(1).await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain_port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let own = format!("https://app.localhost:{port}");
    let another = format!("https://other.localhost:{port}");
    let not_tls = format!("https://app.localhost:{plain_port}");
    for (trusts, origin, expect) in [
        (&authority, &own, format!("answered with \"HTTP/2.0 {own}/\"")),
        (&other, &own, "TlsCertificateError".to_owned()),
        (&authority, &another, "TlsCertificateError".to_owned()),
        (&authority, &not_tls, "TlsProtocolError".to_owned()),
    ] {
        assert_eq!(refusal(&trusts.outbound(origin), get(origin)).await, expect, "{origin}");
    }
    // Nobody but the platform.
    let options = OutboundOptions { resolver: Some(Names::all("127.0.0.1")), ..OutboundOptions::default() };
    assert_eq!(refusal(&outbound_with(&[&own], options), get(&own)).await, "TlsCertificateError");
}

#[test]
fn what_is_wrong_with_a_file_of_roots_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    let check = |text: Option<&str>, expect: &str| {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let error = read_roots(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("no root certificates from {}", path.display()));
        assert!(error.kind.to_string().starts_with(expect), "{} for {text:?}", error.kind);
    };
    check(None, "the file does not read; check");
    check(Some(""), "the file holds no certificate; it must");
    check(Some(&KeyPair::generate().unwrap().serialize_pem()), "the file holds no certificate; it must");
    check(Some("-----BEGIN CERTIFICATE-----\n!\n"), "the file is not PEM; convert");
    let good = Authority::new(&[]).pem;
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(Some(&format!("{good}{bad}")), "certificate 2 of the file is not a root certificate; replace");
    check(Some(&"a".repeat(2 << 20)), "the file is larger than 1048576 bytes; leave");
}
