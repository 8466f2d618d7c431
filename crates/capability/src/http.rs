//! The typed exports of a component that answers requests: `wasi:http` in WASI 0.2 or 0.3, or the entry of a program.

use crate::ahead::{Ahead, Making};
use crate::cgi::Program;
use crate::exchange::{ClientBody, Exchange, GuestEnd};
use crate::host::Host;
use crate::instance::{Handler, Instance};
use crate::linker::Linkers;
use crate::occupant::Occupant;
use crate::profile::Profile;
use crate::seat::Company;
use crate::shared::{Newcomer, Shared, Visit};
use crate::warm::Warm;
use cumulet_engine::{Compiled, Ending, EngineClass, Gauge, classify, new_store};
use cumulet_spec::id::RequestId;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use thiserror::Error;
use wasmtime::component::InstancePre;
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::{p2, p3};

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
    /// No handler of either version, and no program.
    #[error(
        "the component exports none of wasi:http/incoming-handler@0.2, wasi:http/handler@0.3 and, for CGI, wasi:cli/run"
    )]
    NotAHandler,
}

/// A component that is linked once, with everything resolved that does not differ between requests.
pub struct Prepared {
    engine: Engine,
    handler: Handler,
    profile: Arc<Profile>,
    /// Of the other members of a composition; none of a component that stands alone.
    others: Arc<[Arc<Profile>]>,
    slots: u32,
    /// Where instances wait between two invocations; nowhere unless that was asked for.
    warm: Option<Arc<Warm>>,
    /// Where the next instance waits; nowhere unless it may be made ahead.
    ahead: Option<Arc<Ahead>>,
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
            let proxy = p2::bindings::ProxyPre::new(pre.clone()).map(Handler::P2).ok();
            proxy.or_else(|| Program::of_p2(pre).map(Handler::Cgi))
        } else {
            let service = p3::bindings::ServicePre::new(pre.clone()).map(Handler::P3).ok();
            let proxy = || p2::bindings::ProxyPre::new(pre.clone()).map(Handler::P2).ok();
            service.or_else(proxy).or_else(|| Program::of(pre.clone()).map(Handler::Cgi))
        };
        let handler = handler.ok_or(PrepareError::NotAHandler)?;
        let engine = compiled.component().engine().clone();
        Ok(Self { engine, handler, profile, others, slots: compiled.slots(), warm: None, ahead: None })
    }

    /// The same, whose instances serve more than one invocation: they wait in `warm` in between. A program answers once,
    /// and so it stays as it is.
    #[must_use]
    pub fn reusing(self, warm: Arc<Warm>) -> Self {
        let is_program = matches!(self.handler, Handler::Cgi(_));
        Self { warm: Some(warm).filter(|_warm| !is_program), ..self }
    }

    /// The same, whose instances are made ahead of their invocation where that makes no difference. A program is
    /// instantiated with its request at hand, and an instance that is reused waits anyway.
    #[must_use]
    pub fn made_ahead(self, ahead: Arc<Ahead>) -> Self {
        let is_program = matches!(self.handler, Handler::Cgi(_));
        let is_allowed = std::iter::once(&self.profile).chain(&*self.others).all(|profile| profile.allows_ahead());
        let ahead = Some(ahead).filter(|_ahead| is_allowed && !is_program && self.warm.is_none());
        Self { ahead, ..self }
    }

    /// An invocation has ended: the next instance, if it is to be made now. `gauge` has the limits of an invocation.
    #[must_use]
    pub fn next(&self, gauge: impl FnOnce() -> Gauge) -> Option<Making> {
        self.ahead.as_ref()?.begin(self.slots, gauge)
    }

    /// Makes an instance that is to wait for its request. What it prints meanwhile goes with the request `id`.
    pub async fn make(&self, making: &mut Making, id: RequestId) {
        let occupant = Occupant::first(making.exchange(), id);
        let store = new_store(&self.engine, self.host(&occupant));
        let made = Instance::new(&self.handler, (store, occupant)).await;
        let made = made.map_err(|error| matches!(classify(&error, making.gauge()), Ending::PoolExhausted(_)));
        making.made(made);
    }

    /// How many of the pool's slots an instance takes.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Runs one request in an instance of its own, unless instances are reused: instantiates, calls the handler, and
    /// ends with the guest.
    ///
    /// The response appears in `exchange` as soon as the guest sets it; the guest may go on after that. How it ended
    /// stands there, too. Dropping the future ends the guest.
    pub async fn run<B: ClientBody>(
        self: Arc<Self>,
        exchange: Arc<Exchange>,
        id: RequestId,
        request: http::Request<B>,
    ) {
        if let (Some(warm), Handler::P3(service)) = (self.warm.as_ref().filter(|warm| warm.is_shared()), &self.handler)
        {
            let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
            let newcomer = Newcomer { exchange, id, request };
            let Some(visit) = warm.visit(newcomer, |first| self.open(service, first)) else { return };
            let instance = Arc::clone(visit.shared());
            visit.await;
            return warm.rest(instance, self.slots);
        }
        let reused = self.warm.as_ref().and_then(|warm| warm.take(&exchange, id));
        let waiting = reused.or_else(|| self.ahead.as_ref().and_then(|ahead| ahead.take(&exchange, id)));
        let mut instance = match waiting {
            Some(instance) => instance,
            None => match Instance::new(&self.handler, self.store(&exchange, id)).await {
                Ok(instance) => instance,
                Err(error) => return exchange.close(read_end(&error, exchange.gauge())),
            },
        };
        let result = instance.serve(&exchange, request).await;
        let has_returned = result.is_ok();
        // Before the store goes, and with it the sending half of the body.
        exchange.close(result.map_or_else(|error| read_end(&error, exchange.gauge()), |()| GuestEnd::Finished));
        if let Some(warm) = self.warm.as_ref().filter(|_warm| has_returned) {
            warm.keep(instance, self.slots);
        }
    }

    /// An instance for several invocations at once, of which this is the first.
    fn open(&self, service: &p3::bindings::ServicePre<Host>, first: Newcomer) -> Visit {
        let limit = first.exchange.gauge().memory_bytes_max();
        // Executed time is limited for each invocation by itself, in parts of what the instance took.
        let gauge = Arc::new(Gauge::new(u64::MAX, limit));
        let occupant = Occupant::first(&first.exchange, first.id);
        let host = self.host(&occupant).held_by(Arc::clone(&gauge));
        Shared::open(service.clone(), (new_store(&self.engine, host), occupant), (gauge, first))
    }

    fn store(&self, exchange: &Arc<Exchange>, id: RequestId) -> (Store<Host>, Occupant) {
        let occupant = match self.warm {
            None => Occupant::only(exchange, id),
            Some(_) => Occupant::first(exchange, id),
        };
        (new_store(&self.engine, self.host(&occupant)), occupant)
    }

    fn host(&self, occupant: &Occupant) -> Host {
        let host = Host::new(&self.profile, occupant);
        if self.others.is_empty() { host } else { host.with_company(Company::new(&self.others, occupant)) }
    }
}

/// A guest that ends itself with status 0 has returned in its own way.
pub(crate) fn read_end(error: &wasmtime::Error, gauge: &Gauge) -> GuestEnd {
    match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(0)) => GuestEnd::Finished,
        Some(I32Exit(code)) => GuestEnd::Failed(Ending::Trap(format!("the guest exited with status {code}"))),
        None => GuestEnd::Failed(classify(error, gauge)),
    }
}
