//! The data of a guest's store.

use crate::command::names::LookupView;
use crate::exchange::Exchange;
use crate::outbound::Hooks;
use crate::profile::Profile;
use crate::{config, stores};
use cumulet_engine::{Guarded, MemoryLimiter};
use cumulet_spec::grant::Capability;
use cumulet_spec::id::RequestId;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::sockets::{WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Handles that a guest may hold at once: resources of every kind together.
pub const HANDLES_MAX: usize = 10_000;

/// Size of one set of header fields, in bytes of the host's memory.
pub const FIELDS_BYTES_MAX: usize = 64 << 10;

/// Everything that the host keeps for one invocation.
pub struct Host {
    limiter: MemoryLimiter,
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: Hooks,
    profile: Arc<Profile>,
    /// Sockets on which name lookup is switched on; made for the first name that the guest may look up.
    lookup: Option<WasiSocketsCtx>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("limiter", &self.limiter).finish_non_exhaustive()
    }
}

impl Host {
    /// The surroundings of one invocation of a component with this profile.
    #[must_use]
    pub fn new(profile: &Arc<Profile>, exchange: &Arc<Exchange>, request: &RequestId) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELDS_BYTES_MAX);
        Self {
            limiter: MemoryLimiter::new(Arc::clone(exchange.gauge())),
            wasi: profile.context(exchange, request),
            table,
            http,
            hooks: Hooks::new(Arc::clone(profile.outbound()), exchange.inside().cloned(), Arc::clone(exchange.gauge())),
            profile: Arc::clone(profile),
            lookup: None,
        }
    }

    pub(crate) fn config(&mut self) -> config::View<'_> {
        self.limiter.gauge().called(Capability::Config);
        config::View { values: self.profile.values(), witness: self.profile.witness() }
    }

    pub(crate) fn keyvalue(&mut self) -> stores::View<'_> {
        self.stores(Capability::Keyvalue)
    }

    pub(crate) fn blobstore(&mut self) -> stores::View<'_> {
        self.stores(Capability::Blobstore)
    }

    pub(crate) fn sqlite(&mut self) -> stores::View<'_> {
        self.stores(Capability::Sqlite)
    }

    pub(crate) fn postgres(&mut self) -> stores::View<'_> {
        self.stores(Capability::Postgres)
    }

    /// The linker asks for this once for each call of an interface: here calls are counted.
    fn stores(&mut self, called: Capability) -> stores::View<'_> {
        self.limiter.gauge().called(called);
        stores::View { stores: self.profile.stores(), table: &mut self.table }
    }
}

impl Guarded for Host {
    fn limiter(&mut self) -> &mut MemoryLimiter {
        &mut self.limiter
    }
}

impl LookupView for Host {
    fn may_look_up(&self, name: &str) -> bool {
        self.profile.may_look_up(name)
    }

    fn lookup(&mut self) -> WasiSocketsCtxView<'_> {
        let ctx = self
            .lookup
            .get_or_insert_with(|| WasiCtxBuilder::new().allow_ip_name_lookup(true).build().sockets().clone());
        WasiSocketsCtxView { ctx, table: &mut self.table }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}
