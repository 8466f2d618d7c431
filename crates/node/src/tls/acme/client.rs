//! HTTP to an ACME server: bounded in time and size.

use bytes::Bytes;
use http_body_util::Limited;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a response may be waited for.
const RESPONSE_TIME_MAX: Duration = Duration::from_secs(30);
/// The largest response that is read, in bytes; a certificate has a few thousand.
const RESPONSE_BYTES_MAX: usize = 1 << 20;

/// A client that trusts the system's roots, and others beside them.
#[derive(Clone, Debug)]
pub(super) struct Client(HyperClient<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Client {
    /// Blocks while it reads the system's roots.
    pub(super) fn new(roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots.iter().cloned(), Arc::clone(&provider))?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().enable_http2().build();
        Ok(Self(HyperClient::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let response = self.0.request(request);
        Box::pin(async move {
            let response = tokio::time::timeout(RESPONSE_TIME_MAX, response).await;
            let response = response.map_err(other)?.map_err(other)?;
            Ok(BytesResponse::from(response.map(|body| Limited::new(body, RESPONSE_BYTES_MAX))))
        })
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}
