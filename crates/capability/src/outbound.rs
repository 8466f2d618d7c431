//! Outbound HTTP: what a guest may send, where it goes, and what of it is kept.
//!
//! A request is checked against the component's grants, sent on a pooled connection to an address that the guard let
//! through, and never redirected by the host: the guest's next request is checked anew. Proxy variables are ignored.

mod cache;
mod guard;
mod send;

use bytes::Bytes;
use cache::Cache;
use cumulet_spec::grant::{Grants, HttpGrant, Scheme};
use guard::GuardedResolver;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpHooks};

/// Connections to one origin that are kept open while idle.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// How long an idle connection is kept.
const IDLE_TIME: Duration = Duration::from_secs(60);
/// Requests of one component that may be under way at once.
const REQUESTS_MAX: usize = 256;
/// How long a connection may take to come about.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

type Connector = HttpsConnector<HttpConnector<GuardedResolver>>;
type RequestBody = UnsyncBoxBody<Bytes, Error>;

/// The outbound side of one component: its grants, its connections, and the responses kept for it.
///
/// Nothing is shared with another component: not a connection, not a cached response.
#[derive(Debug)]
pub struct Outbound {
    grants: Grants,
    client: OnceLock<Client<Connector, RequestBody>>,
    cache: Cache,
    permits: Arc<Semaphore>,
}

impl Outbound {
    /// An outbound side with these grants; nothing is set up until the first request.
    #[must_use]
    pub fn new(grants: Grants) -> Self {
        Self {
            grants,
            client: OnceLock::new(),
            cache: Cache::default(),
            permits: Arc::new(Semaphore::new(REQUESTS_MAX)),
        }
    }

    /// The grant that lets a request to this place pass.
    fn grant(&self, uri: &http::Uri) -> Option<&HttpGrant> {
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return None,
        };
        let host = uri.host()?;
        let port = uri.port_u16().unwrap_or(scheme.default_port());
        self.grants.http_to(scheme, host, port)
    }

    fn client(&self) -> Result<&Client<Connector, RequestBody>, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.connect()?;
        Ok(self.client.get_or_init(|| client))
    }

    fn connect(&self) -> Result<Client<Connector, RequestBody>, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.try_with_platform_verifier())
            .map_err(|error| Error::InternalError(Some(format!("the platform's certificates do not load: {error}"))))?
            .with_no_client_auth();
        let mut tcp = HttpConnector::new_with_resolver(GuardedResolver::new(&self.grants.http));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIME_MAX));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        Ok(Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector))
    }
}

/// The hooks of one invocation into `wasi:http`.
#[derive(Debug)]
pub struct Hooks {
    outbound: Arc<Outbound>,
}

impl Hooks {
    pub(crate) fn new(outbound: Arc<Outbound>) -> Self {
        Self { outbound }
    }
}

/// Chunks of a response body that wait for the client, and their size: together they bound what the host holds.
const BODY_CHUNKS_MAX: usize = 16;
/// See [`BODY_CHUNKS_MAX`].
const BODY_CHUNK_BYTES_MAX: usize = 64 << 10;

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &http::HeaderName) -> bool {
        // The default builds a closure on the heap for each call.
        wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn send_request(
        &mut self,
        request: http::Request<RequestBody>,
        options: Option<RequestOptions>,
        _response_done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<send::Sent, Error>> + Send> {
        Box::new(send::send(Arc::clone(&self.outbound), request, options.unwrap_or_default()))
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        BODY_CHUNKS_MAX
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES_MAX
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES_MAX
    }

    fn p2_error_from_hyper(
        &mut self,
        error: &hyper::Error,
    ) -> wasmtime_wasi_http::p2::bindings::http::types::ErrorCode {
        tracing::debug!(%error, "outbound request failed");
        wasmtime_wasi_http::p2::bindings::http::types::ErrorCode::HttpProtocolError
    }
}
