//! The data of a guest's store.

use crate::cgi::Call;
use crate::command::names::LookupView;
use crate::occupant::Occupant;
use crate::profile::Profile;
use crate::seat::{Company, Seat};
use crate::{config, stores};
use cumulet_engine::{Gauge, Guarded, MemoryLimiter};
use cumulet_spec::grant::Capability;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::WasiCliCtxView;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::sockets::WasiSocketsCtxView;
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Handles that a guest may hold at once: resources of every kind together.
pub const HANDLES_MAX: usize = 10_000;

/// Size of one set of header fields, in bytes of the host's memory.
pub const FIELDS_BYTES_MAX: usize = 64 << 10;

/// Everything that the host keeps for one instance.
pub struct Host {
    limiter: MemoryLimiter,
    table: ResourceTable,
    http: WasiHttpCtx,
    /// The component's own; of a composition, the first member's.
    own: Seat,
    /// The other members of a composition.
    company: Option<Box<Company>>,
    /// Whose calls to the host these are, where several invocations run at once: the latest.
    caller: Option<Arc<Gauge>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("limiter", &self.limiter).finish_non_exhaustive()
    }
}

impl Host {
    /// The surroundings of one instance of a component with this profile.
    pub(crate) fn new(profile: &Arc<Profile>, occupant: &Occupant) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELDS_BYTES_MAX);
        Self {
            limiter: MemoryLimiter::new(occupant.with(|exchange, _| Arc::clone(exchange.gauge()))),
            table,
            http,
            own: Seat::new(profile, occupant),
            company: None,
            caller: None,
        }
    }

    /// The same, with the other members of a composition.
    pub(crate) fn with_company(self, company: Company) -> Self {
        Self { company: Some(Box::new(company)), ..self }
    }

    /// The same for several invocations at once, which hold together what `gauge` shows.
    pub(crate) fn held_by(mut self, gauge: Arc<Gauge>) -> Self {
        self.limiter.welcome(gauge);
        self
    }

    /// Is there for a new occupant. What the guest holds stays: its handles, its memories, and what these count.
    pub(crate) fn welcome(&mut self, occupant: &Occupant) {
        self.limiter.welcome(occupant.with(|exchange, _| Arc::clone(exchange.gauge())));
        self.seat_all(occupant);
    }

    /// Is there for one more occupant, beside those that are there.
    pub(crate) fn receive(&mut self, occupant: &Occupant) {
        self.caller = Some(occupant.with(|exchange, _| Arc::clone(exchange.gauge())));
        self.seat_all(occupant);
    }

    /// What shows the usage of whoever it is that the instance serves.
    pub(crate) fn gauge(&self) -> &Arc<Gauge> {
        self.limiter.gauge()
    }

    fn called(&self, capability: Capability) {
        self.caller.as_ref().unwrap_or_else(|| self.limiter.gauge()).called(capability);
    }

    fn seat_all(&mut self, occupant: &Occupant) {
        self.own.welcome(occupant);
        if let Some(company) = &mut self.company {
            company.welcome(occupant);
        }
    }

    /// A program begins: what it finds is its request.
    pub(crate) fn begin(&mut self, call: &Call, occupant: &Occupant) {
        self.own.begin(call, occupant);
    }

    /// A member's seat, with what all members share: their handles, and the gauge behind the limiter.
    fn seat<const MEMBER: usize>(&mut self) -> (&mut Seat, &mut ResourceTable, &mut WasiHttpCtx) {
        let seat = match MEMBER.checked_sub(1) {
            None => &mut self.own,
            Some(place) => self.company.as_mut().expect("only a composition's linker names other members").seat(place),
        };
        (seat, &mut self.table, &mut self.http)
    }

    pub(crate) fn cli_of<const MEMBER: usize>(&mut self) -> WasiCliCtxView<'_> {
        let (seat, table, _) = self.seat::<MEMBER>();
        WasiCliCtxView { ctx: seat.wasi.cli(), table }
    }

    pub(crate) fn filesystem_of<const MEMBER: usize>(&mut self) -> WasiFilesystemCtxView<'_> {
        let (seat, table, _) = self.seat::<MEMBER>();
        WasiFilesystemCtxView { ctx: seat.wasi.filesystem(), table }
    }

    pub(crate) fn sockets_of<const MEMBER: usize>(&mut self) -> WasiSocketsCtxView<'_> {
        let (seat, table, _) = self.seat::<MEMBER>();
        WasiSocketsCtxView { ctx: seat.wasi.sockets(), table }
    }

    pub(crate) fn lookup_of<const MEMBER: usize>(&mut self) -> WasiSocketsCtxView<'_> {
        let (seat, table, _) = self.seat::<MEMBER>();
        WasiSocketsCtxView { ctx: seat.lookup(), table }
    }

    pub(crate) fn may_look_up_of<const MEMBER: usize>(&mut self, name: &str) -> bool {
        self.seat::<MEMBER>().0.profile.may_look_up(name)
    }

    pub(crate) fn http_of<const MEMBER: usize>(&mut self) -> WasiHttpCtxView<'_> {
        let (seat, table, ctx) = self.seat::<MEMBER>();
        WasiHttpCtxView { ctx, table, hooks: &mut seat.hooks }
    }

    pub(crate) fn config_of<const MEMBER: usize>(&mut self) -> config::View<'_> {
        self.called(Capability::Config);
        let profile = &self.seat::<MEMBER>().0.profile;
        config::View { values: profile.values(), witness: profile.witness() }
    }

    pub(crate) fn keyvalue_of<const MEMBER: usize>(&mut self) -> stores::View<'_> {
        self.stores_of::<MEMBER>(Capability::Keyvalue)
    }

    pub(crate) fn blobstore_of<const MEMBER: usize>(&mut self) -> stores::View<'_> {
        self.stores_of::<MEMBER>(Capability::Blobstore)
    }

    pub(crate) fn sqlite_of<const MEMBER: usize>(&mut self) -> stores::View<'_> {
        self.stores_of::<MEMBER>(Capability::Sqlite)
    }

    pub(crate) fn postgres_of<const MEMBER: usize>(&mut self) -> stores::View<'_> {
        self.stores_of::<MEMBER>(Capability::Postgres)
    }

    /// The linker asks for this once for each call of an interface: here calls are counted.
    fn stores_of<const MEMBER: usize>(&mut self, called: Capability) -> stores::View<'_> {
        self.called(called);
        let (seat, table, _) = self.seat::<MEMBER>();
        stores::View { stores: seat.profile.stores(), table }
    }
}

impl Guarded for Host {
    fn limiter(&mut self) -> &mut MemoryLimiter {
        &mut self.limiter
    }
}

impl LookupView for Host {
    fn may_look_up(&mut self, name: &str) -> bool {
        self.may_look_up_of::<0>(name)
    }

    fn lookup(&mut self) -> WasiSocketsCtxView<'_> {
        self.lookup_of::<0>()
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.own.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.http_of::<0>()
    }
}
