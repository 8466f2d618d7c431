//! What the host keeps of one invocation for one component: for a composition, one of these for each member.

use crate::exchange::Exchange;
use crate::outbound::Hooks;
use crate::profile::Profile;
use cumulet_spec::id::RequestId;
use std::sync::Arc;
use wasmtime_wasi::sockets::WasiSocketsCtx;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

/// One component's own surroundings: everything that its grants decide about.
pub(crate) struct Seat {
    pub(crate) wasi: WasiCtx,
    pub(crate) hooks: Hooks,
    pub(crate) profile: Arc<Profile>,
    /// Sockets on which name lookup is switched on; made for the first name that the guest may look up.
    lookup: Option<WasiSocketsCtx>,
}

impl Seat {
    pub(crate) fn new(profile: &Arc<Profile>, exchange: &Arc<Exchange>, request: &RequestId) -> Self {
        Self {
            wasi: profile.context(exchange, request),
            hooks: Hooks::new(Arc::clone(profile.outbound()), exchange.inside().cloned(), Arc::clone(exchange.gauge())),
            profile: Arc::clone(profile),
            lookup: None,
        }
    }

    /// Sockets on which name lookup is switched on.
    pub(crate) fn lookup(&mut self) -> &mut WasiSocketsCtx {
        self.lookup.get_or_insert_with(|| WasiCtxBuilder::new().allow_ip_name_lookup(true).build().sockets().clone())
    }
}

/// The members of a composition but the first, each seated when it first asks for something of its own.
pub(crate) struct Company {
    exchange: Arc<Exchange>,
    request: RequestId,
    profiles: Arc<[Arc<Profile>]>,
    seats: Vec<Option<Box<Seat>>>,
}

impl Company {
    pub(crate) fn new(profiles: &Arc<[Arc<Profile>]>, exchange: &Arc<Exchange>, request: &RequestId) -> Self {
        Self {
            exchange: Arc::clone(exchange),
            request: *request,
            profiles: Arc::clone(profiles),
            seats: profiles.iter().map(|_| None).collect(),
        }
    }

    /// The seat of the member in a place among these: 0 is the composition's second.
    pub(crate) fn seat(&mut self, place: usize) -> &mut Seat {
        let found = self.profiles.get(place).zip(self.seats.get_mut(place));
        let (profile, seat) = found.expect("a linker names only members of its composition");
        seat.get_or_insert_with(|| Box::new(Seat::new(profile, &self.exchange, &self.request)))
    }
}
