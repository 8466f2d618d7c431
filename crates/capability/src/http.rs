//! The typed exports of `wasi:http`: a component that answers requests, in WASI 0.2 or 0.3.

use crate::client::path;
use crate::exchange::{Exchange, GuestEnd};
use crate::host::Host;
use crate::linker::Linkers;
use crate::profile::Profile;
use crate::seat::Company;
use bytes::Bytes;
use cumulet_engine::{Compiled, Ending, EngineClass, classify, new_store};
use cumulet_spec::id::RequestId;
use http::uri::Authority;
use http_body::Body;
use std::future::poll_fn;
use std::sync::Arc;
use thiserror::Error;
use wasmtime::component::InstancePre;
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiHttpView as _, p2, p3};

/// A request body that broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBodyFailure {
    /// It is larger than the gateway takes.
    TooLarge,
    /// The client went away, or its framing is wrong.
    Broken,
}

impl From<RequestBodyFailure> for wasmtime_wasi_http::Error {
    fn from(failure: RequestBodyFailure) -> Self {
        match failure {
            RequestBodyFailure::TooLarge => Self::HttpRequestBodySize(None),
            RequestBodyFailure::Broken => Self::ConnectionTerminated,
        }
    }
}

/// The component cannot be served.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// An import that nothing offers, or of another type than what is offered.
    #[error("the component's imports cannot be linked: {source:#}")]
    Link {
        /// What the linker said.
        source: wasmtime::Error,
    },
    /// No handler of either version.
    #[error("the component exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3")]
    NotAHandler,
}

enum Handler {
    P2(p2::bindings::ProxyPre<Host>),
    P3(p3::bindings::ServicePre<Host>),
}

/// A component that is linked once, with everything resolved that does not differ between requests.
pub struct Prepared {
    engine: Engine,
    handler: Handler,
    profile: Arc<Profile>,
    /// Of the other members of a composition; none of a component that stands alone.
    others: Arc<[Arc<Profile>]>,
    slots: u32,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("slots", &self.slots).finish_non_exhaustive()
    }
}

impl Prepared {
    /// Links a compiled component.
    ///
    /// # Errors
    /// When an import is not offered or no handler is exported.
    pub fn new(linkers: &Linkers, compiled: &Compiled, profile: Arc<Profile>) -> Result<Self, PrepareError> {
        let pre = linkers.get(compiled).and_then(|linker| linker.instantiate_pre(compiled.component()));
        Self::of(compiled, pre, (profile, Arc::default()))
    }

    /// Links a compiled composition, each member to what it was granted: `profile` is the first one's, `others` are
    /// those of the rest, in their order.
    ///
    /// # Errors
    /// When an import is not offered or no handler is exported.
    pub fn composed(
        linkers: &Linkers,
        compiled: &Compiled,
        (profile, others): (Arc<Profile>, Vec<Arc<Profile>>),
    ) -> Result<Self, PrepareError> {
        let linker = linkers.composed(compiled.class(), compiled.component(), others.len() + 1);
        let pre = linker.and_then(|linker| linker.instantiate_pre(compiled.component()));
        Self::of(compiled, pre, (profile, others.into()))
    }

    fn of(
        compiled: &Compiled,
        pre: wasmtime::Result<InstancePre<Host>>,
        (profile, others): (Arc<Profile>, Arc<[Arc<Profile>]>),
    ) -> Result<Self, PrepareError> {
        let pre = pre.map_err(|source| PrepareError::Link { source })?;
        let handler = if compiled.class() == EngineClass::Plain {
            p2::bindings::ProxyPre::new(pre).map(Handler::P2).ok()
        } else {
            let service = p3::bindings::ServicePre::new(pre.clone()).map(Handler::P3).ok();
            service.or_else(|| p2::bindings::ProxyPre::new(pre).map(Handler::P2).ok())
        };
        let handler = handler.ok_or(PrepareError::NotAHandler)?;
        let engine = compiled.component().engine().clone();
        Ok(Self { engine, handler, profile, others, slots: compiled.slots() })
    }

    /// How many of the pool's slots an instance takes.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Runs one request in an instance of its own: instantiates, calls the handler, and ends with the guest.
    ///
    /// The response appears in `exchange` as soon as the guest sets it; the guest may go on after that. How it ended
    /// stands there, too. Dropping the future ends the guest.
    pub async fn run<B>(self: Arc<Self>, exchange: Arc<Exchange>, id: RequestId, request: http::Request<B>)
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<wasmtime_wasi_http::Error>,
    {
        let mut host = Host::new(&self.profile, &exchange, &id);
        if !self.others.is_empty() {
            host = host.with_company(Company::new(&self.others, &exchange, &id));
        }
        let mut store = new_store(&self.engine, host);
        let result = match &self.handler {
            Handler::P2(handler) => run_p2(handler, &mut store, &exchange, request).await,
            Handler::P3(handler) => run_p3(handler, &mut store, &exchange, request).await,
        };
        let end = match result {
            Ok(()) => GuestEnd::Finished,
            Err(error) => read_end(&error, &exchange),
        };
        // Before the store goes, and with it the sending half of the body.
        exchange.close(end);
    }
}

/// A guest that ends itself with status 0 has returned in its own way.
fn read_end(error: &wasmtime::Error, exchange: &Exchange) -> GuestEnd {
    match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(0)) => GuestEnd::Finished,
        Some(I32Exit(code)) => GuestEnd::Failed(Ending::Trap(format!("the guest exited with status {code}"))),
        None => GuestEnd::Failed(classify(error, exchange.gauge())),
    }
}

async fn run_p2<B>(
    handler: &p2::bindings::ProxyPre<Host>,
    store: &mut Store<Host>,
    exchange: &Arc<Exchange>,
    request: http::Request<B>,
) -> wasmtime::Result<()>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<wasmtime_wasi_http::Error>,
{
    let instance = handler.instantiate_async(&mut *store).await?;
    // Named by a listener that speaks TLS; on a plain one by the client, which may be a proxy that does.
    let is_secure = request.uri().scheme() == Some(&http::uri::Scheme::HTTPS);
    let scheme = if is_secure { Scheme::Https } else { Scheme::Http };
    let request = store.data_mut().http().new_incoming_request(scheme, request)?;
    let answer = Arc::clone(exchange);
    let outparam = store.data_mut().http().new_response_outparam_from_callback(move |response| {
        answer.answer(response.map_err(|code| format!("the guest answered with an error: {code:?}")));
    })?;
    instance.wasi_http_incoming_handler().call_handle(&mut *store, request, outparam).await
}

async fn run_p3<B>(
    handler: &p3::bindings::ServicePre<Host>,
    store: &mut Store<Host>,
    exchange: &Arc<Exchange>,
    request: http::Request<B>,
) -> wasmtime::Result<()>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<wasmtime_wasi_http::Error>,
{
    let service = handler.instantiate_async(&mut *store).await?;
    let host = match request.uri().authority() {
        Some(_) => None,
        // A request in origin form names its host in the header alone, which does not reach the guest.
        None => request.headers().get(http::header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok()),
    };
    let (mut request, received) = p3::Request::from_http(store.data_mut().http().hooks, request);
    request.scheme = request.scheme.or(Some(http::uri::Scheme::HTTP));
    request.authority = request.authority.or(host);
    request.path_with_query = request.path_with_query.map(path::rooted);
    store
        .run_concurrent(async |accessor| {
            match service.handle(accessor, request).await? {
                Ok(response) => {
                    let response = accessor.with(|access| response.into_http(access, received))?;
                    exchange.answer(Ok(response));
                }
                Err(code) => exchange.answer(Err(format!("the guest answered with an error: {code:?}"))),
            }
            // The guest may still be writing the body, or have work left.
            poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
            Ok(())
        })
        .await?
}
