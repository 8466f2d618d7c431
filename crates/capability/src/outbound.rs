//! Outbound HTTP: what a guest may send, where it goes, and what of it is kept.
//!
//! A request is rewritten to the one place that it can mean, checked against the component's grants, sent on a pooled
//! connection to an address that the guard let through, and never redirected by the host: the guest's next request is
//! checked anew. Proxy variables are ignored. What goes to another component of the app stays in the process.

mod body;
mod bounds;
mod cache;
mod connect;
mod failure;
mod guard;
mod inside;
mod place;
mod pool;
mod resolve;
mod roots;
mod send;
#[cfg(test)]
mod tests;

use crate::witness::Witness;
use bounds::{Bounds, REQUESTS_PER_INVOCATION_MAX};
use bytes::Bytes;
use cache::Cache;
use cumulet_engine::Gauge;
use cumulet_spec::grant::{Capability, Grants};
use guard::GuardedResolver;
use http_body_util::combinators::UnsyncBoxBody;
use pool::Pool;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use tokio::sync::{OnceCell, Semaphore};
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpHooks};

pub(crate) use guard::is_global;
pub use inside::{Answer, Inside, InsideBody, InsideError};
pub use resolve::{Lookup, Resolve};
pub use roots::{RootsError, RootsFault, load_platform_roots, parse_roots, read_roots};

/// A root certificate.
pub type Root = CertificateDer<'static>;
/// What a guest sends.
pub type RequestBody = UnsyncBoxBody<Bytes, Error>;
/// What a guest receives.
pub type ResponseBody = UnsyncBoxBody<Bytes, Error>;

/// What an outbound side may have beside its grants; by default nothing.
#[derive(Clone, Default)]
pub struct OutboundOptions {
    /// Root certificates that are trusted like those of the platform.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Where names are looked up; by the system when absent. The address guard checks what comes back either way.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// Who wants to know where requests would have gone.
    pub witness: Option<Arc<Witness>>,
}

impl std::fmt::Debug for OutboundOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboundOptions").field("extra_roots", &self.extra_roots.len()).finish_non_exhaustive()
    }
}

/// The outbound side of one component: its grants, its connections, and the responses kept for it.
///
/// Nothing is shared with another component: not a connection, not a cached response.
#[derive(Debug)]
pub struct Outbound {
    grants: Grants,
    options: OutboundOptions,
    bounds: Bounds,
    pool: OnceCell<Pool>,
    cache: Arc<Cache>,
    permits: Arc<Semaphore>,
}

impl Outbound {
    /// An outbound side with these grants; nothing is set up until the first request.
    #[must_use]
    pub fn new(grants: Grants) -> Self {
        Self::with_options(grants, OutboundOptions::default())
    }

    /// An outbound side with these grants and options; nothing is set up until the first request.
    #[must_use]
    pub fn with_options(grants: Grants, options: OutboundOptions) -> Self {
        Self::bounded(grants, options, Bounds::default())
    }

    fn bounded(grants: Grants, options: OutboundOptions, bounds: Bounds) -> Self {
        Self {
            grants,
            options,
            bounds,
            pool: OnceCell::new(),
            cache: Arc::default(),
            permits: Arc::new(Semaphore::new(bounds.requests)),
        }
    }

    async fn pool(&self) -> Result<&Pool, Error> {
        self.pool.get_or_try_init(|| self.open_pool()).await
    }

    async fn open_pool(&self) -> Result<Pool, Error> {
        let extra_roots = self.options.extra_roots.clone();
        let tls = tokio::task::spawn_blocking(move || pool::tls(&extra_roots)).await;
        let tls = tls.map_err(|error| Error::InternalError(Some(format!("the set-up of TLS ended: {error}"))))?;
        let tls = tls.map_err(|error| Error::InternalError(Some(format!("TLS cannot be set up: {error}"))))?;
        let resolver = self.options.resolver.clone().unwrap_or_else(|| Arc::new(resolve::System::default()));
        let resolver = GuardedResolver::new(&self.grants.http, resolver, self.bounds.lookup);
        Ok(Pool::new(tls, resolver, &self.bounds))
    }
}

/// The hooks of one invocation into `wasi:http`.
#[derive(Debug)]
pub struct Hooks {
    outbound: Arc<Outbound>,
    inside: Option<Arc<dyn Inside>>,
    gauge: Arc<Gauge>,
    requests_left: u32,
}

impl Hooks {
    /// `inside` answers for `NAME.internal`; when absent, no such name exists.
    pub(crate) fn new(outbound: Arc<Outbound>, inside: Option<Arc<dyn Inside>>, gauge: Arc<Gauge>) -> Self {
        Self { outbound, inside, gauge, requests_left: REQUESTS_PER_INVOCATION_MAX }
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
        self.gauge.called(Capability::Http);
        let Some(left) = self.requests_left.checked_sub(1) else {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        };
        self.requests_left = left;
        Box::new(send::send(Arc::clone(&self.outbound), self.inside.clone(), request, options.unwrap_or_default()))
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
