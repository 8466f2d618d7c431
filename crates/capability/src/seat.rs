//! What the host keeps of one instance for one component: for a composition, one of these for each member.

use crate::cgi::Call;
use crate::occupant::Occupant;
use crate::outbound::Hooks;
use crate::profile::Profile;
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
    pub(crate) fn new(profile: &Arc<Profile>, occupant: &Occupant) -> Self {
        Self {
            wasi: profile.context(occupant),
            hooks: hooks(profile, occupant),
            profile: Arc::clone(profile),
            lookup: None,
        }
    }

    /// Is there for a new occupant: outbound requests are counted from the start, and on its account.
    pub(crate) fn welcome(&mut self, occupant: &Occupant) {
        self.hooks = hooks(&self.profile, occupant);
    }

    /// A program begins: what it finds is its request.
    pub(crate) fn begin(&mut self, call: &Call, occupant: &Occupant) {
        self.wasi = self.profile.context_of(call, occupant);
    }

    /// Sockets on which name lookup is switched on.
    pub(crate) fn lookup(&mut self) -> &mut WasiSocketsCtx {
        self.lookup.get_or_insert_with(|| WasiCtxBuilder::new().allow_ip_name_lookup(true).build().sockets().clone())
    }
}

fn hooks(profile: &Profile, occupant: &Occupant) -> Hooks {
    let outbound = Arc::clone(profile.outbound());
    occupant.with(|exchange, _| Hooks::new(outbound, exchange.inside().cloned(), Arc::clone(exchange.gauge())))
}

/// The members of a composition but the first, each seated when it first asks for something of its own.
pub(crate) struct Company {
    occupant: Occupant,
    profiles: Arc<[Arc<Profile>]>,
    seats: Vec<Option<Box<Seat>>>,
}

impl Company {
    pub(crate) fn new(profiles: &Arc<[Arc<Profile>]>, occupant: &Occupant) -> Self {
        Self {
            occupant: occupant.clone(),
            profiles: Arc::clone(profiles),
            seats: profiles.iter().map(|_| None).collect(),
        }
    }

    /// Is there for a new occupant.
    pub(crate) fn welcome(&mut self, occupant: &Occupant) {
        self.occupant = occupant.clone();
        self.seats.iter_mut().flatten().for_each(|seat| seat.welcome(occupant));
    }

    /// The seat of the member in a place among these: 0 is the composition's second.
    pub(crate) fn seat(&mut self, place: usize) -> &mut Seat {
        let found = self.profiles.get(place).zip(self.seats.get_mut(place));
        let (profile, seat) = found.expect("a linker names only members of its composition");
        seat.get_or_insert_with(|| Box::new(Seat::new(profile, &self.occupant)))
    }
}
