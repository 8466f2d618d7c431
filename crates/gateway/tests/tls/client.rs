//! Clients that speak TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::authority::Authority;
use crate::soon;

/// What a client trusts and speaks.
#[derive(Clone)]
pub(crate) struct Client {
    tls: Arc<ClientConfig>,
}

impl Client {
    pub(crate) fn new(authority: &Authority, protocols: &[&str]) -> Self {
        Self::speaking(authority, protocols, rustls::DEFAULT_VERSIONS)
    }

    pub(crate) fn speaking(
        authority: &Authority,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(authority.roots())
            .with_no_client_auth();
        tls.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { tls: Arc::new(tls) }
    }

    /// Says no name.
    pub(crate) fn nameless(mut self) -> Self {
        Arc::make_mut(&mut self.tls).enable_sni = false;
        self
    }

    /// A handshake for a host; its error is what rustls said.
    pub(crate) async fn connect(&self, address: SocketAddr, host: &str) -> Result<TlsStream<TcpStream>, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let connected = soon(TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream)).await;
        connected.map_err(|error| error.to_string())
    }

    /// One request on a connection of its own: the status and the body.
    pub(crate) async fn get(&self, address: SocketAddr, url: &str) -> Result<(u16, String), String> {
        let host = url.parse::<http::Uri>().unwrap().host().unwrap().to_owned();
        let stream = self.connect(address, &host).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if is_http2 { get_http2(stream, url).await } else { get_http1(stream, url).await }
    }
}

/// A request of HTTP/1.1.
async fn get_http1(stream: TlsStream<TcpStream>, url: &str) -> Result<(u16, String), String> {
    let (mut sender, connection) =
        soon(http1::handshake(TokioIo::new(stream))).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let uri = url.parse::<http::Uri>().unwrap();
    let request =
        Request::get(uri.path_and_query().unwrap().as_str()).header("host", uri.authority().unwrap().as_str());
    read(soon(sender.send_request(request.body(Empty::<Bytes>::new()).unwrap())).await).await
}

/// A request of HTTP/2, with the target as it is given.
async fn get_http2(stream: TlsStream<TcpStream>, url: &str) -> Result<(u16, String), String> {
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = soon(handshake).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    read(soon(sender.send_request(Request::get(url).body(Empty::<Bytes>::new()).unwrap())).await).await
}

async fn read(response: Result<http::Response<hyper::body::Incoming>, hyper::Error>) -> Result<(u16, String), String> {
    let response = response.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = soon(response.into_body().collect()).await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}
