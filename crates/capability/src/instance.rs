//! One instance of a component that answers requests, in WASI 0.2 or 0.3, or by CGI.

use crate::cgi;
use crate::client::path;
use crate::exchange::{ClientBody, Exchange};
use crate::host::Host;
use crate::occupant::Occupant;
use crate::warm::Held;
use cumulet_engine::Gauge;
use cumulet_spec::id::RequestId;
use http::uri::Authority;
use std::future::poll_fn;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiHttpView as _, p2, p3};

/// What is instantiated.
pub(crate) enum Handler {
    P2(p2::bindings::ProxyPre<Host>),
    P3(p3::bindings::ServicePre<Host>),
    Cgi(cgi::Program),
}

/// What was.
enum Guest {
    P2(p2::bindings::Proxy),
    P3(p3::bindings::Service),
    /// Instantiated when it is to serve: what it finds then depends on the request.
    Cgi(cgi::Program),
}

/// A guest and all that is its own. Dropping it ends it.
pub(crate) struct Instance {
    store: Store<Host>,
    guest: Guest,
    occupant: Occupant,
    served: u32,
    /// There from the first time that it waited.
    room: Option<Held>,
}

impl Instance {
    pub(crate) async fn new(
        handler: &Handler,
        (mut store, occupant): (Store<Host>, Occupant),
    ) -> wasmtime::Result<Self> {
        let guest = match handler {
            Handler::P2(handler) => Guest::P2(handler.instantiate_async(&mut store).await?),
            Handler::P3(handler) => Guest::P3(handler.instantiate_async(&mut store).await?),
            Handler::Cgi(program) => Guest::Cgi(program.clone()),
        };
        Ok(Self { store, guest, occupant, served: 0, room: None })
    }

    /// What shows the usage of whoever is in it.
    pub(crate) fn gauge(&self) -> &Arc<Gauge> {
        self.store.data().gauge()
    }

    /// Invocations so far.
    pub(crate) fn served(&self) -> u32 {
        self.served
    }

    /// Is there for another invocation.
    pub(crate) fn welcome(&mut self, exchange: &Arc<Exchange>, id: RequestId) {
        self.occupant.follow(exchange, id);
        self.store.data_mut().welcome(&self.occupant);
    }

    /// Whether it may wait: it has room from an earlier time, or `hold` finds some.
    pub(crate) fn has_room(&mut self, hold: impl FnOnce() -> Option<Held>) -> bool {
        if self.room.is_none() {
            self.room = hold();
        }
        self.room.is_some()
    }

    /// Runs one request until the guest has nothing left to do for it. After an error it must not serve again.
    pub(crate) async fn serve<B: ClientBody>(
        &mut self,
        exchange: &Arc<Exchange>,
        request: http::Request<B>,
    ) -> wasmtime::Result<()> {
        self.served += 1;
        match &self.guest {
            Guest::P2(guest) => serve_p2(guest, &mut self.store, exchange, request).await,
            Guest::P3(guest) => serve_p3(guest, &mut self.store, exchange, request).await,
            // Aside, so that the others' requests carry no room for it.
            Guest::Cgi(program) => {
                Box::pin(cgi::serve(program, (&mut self.store, &self.occupant), exchange, request)).await
            }
        }
    }
}

async fn serve_p2<B: ClientBody>(
    guest: &p2::bindings::Proxy,
    store: &mut Store<Host>,
    exchange: &Arc<Exchange>,
    request: http::Request<B>,
) -> wasmtime::Result<()> {
    // Named by a listener that speaks TLS; on a plain one by the client, which may be a proxy that does.
    let is_secure = request.uri().scheme() == Some(&http::uri::Scheme::HTTPS);
    let scheme = if is_secure { Scheme::Https } else { Scheme::Http };
    let request = store.data_mut().http().new_incoming_request(scheme, request)?;
    let answer = Arc::clone(exchange);
    let outparam = store.data_mut().http().new_response_outparam_from_callback(move |response| {
        answer.answer(response.map_err(|code| answered_with_an_error(&code)));
    })?;
    guest.wasi_http_incoming_handler().call_handle(&mut *store, request, outparam).await
}

async fn serve_p3<B: ClientBody>(
    guest: &p3::bindings::Service,
    store: &mut Store<Host>,
    exchange: &Arc<Exchange>,
    request: http::Request<B>,
) -> wasmtime::Result<()> {
    let (request, received) = request_p3(store.data_mut(), request);
    store
        .run_concurrent(async |accessor| {
            match guest.handle(accessor, request).await? {
                Ok(response) => {
                    let response = accessor.with(|access| response.into_http(access, received))?;
                    exchange.answer(Ok(response));
                }
                Err(code) => exchange.answer(Err(answered_with_an_error(&code))),
            }
            // The guest may still be writing the body, or have work left.
            poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
            Ok(())
        })
        .await?
}

/// A request as a guest of WASI 0.3 takes it, and what becomes of its body.
pub(crate) fn request_p3<B: ClientBody>(
    host: &mut Host,
    request: http::Request<B>,
) -> (p3::Request, impl Future<Output = Result<(), wasmtime_wasi_http::Error>> + Send + 'static) {
    let named = match request.uri().authority() {
        Some(_) => None,
        // A request in origin form names its host in the header alone, which does not reach the guest.
        None => request.headers().get(http::header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok()),
    };
    let (mut request, received) = p3::Request::from_http(host.http().hooks, request);
    request.scheme = request.scheme.or(Some(http::uri::Scheme::HTTP));
    request.authority = request.authority.or(named);
    request.path_with_query = request.path_with_query.map(path::rooted);
    (request, received)
}

/// What the operator is told of a guest that gave an error instead of a response.
pub(crate) fn answered_with_an_error(code: &impl std::fmt::Debug) -> String {
    format!("the guest answered with an error: {code:?}")
}
