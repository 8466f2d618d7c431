//! The data of a command's store.

use crate::command::names::LookupView;
use crate::command::{CommandSetup, FolderError, NetworkPolicy};
use crate::outbound::{Hooks, Outbound};
use cumulet_engine::{Gauge, Guarded, MemoryLimiter};
use cumulet_spec::grant::Grants;
use std::sync::Arc;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::sockets::{WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Everything that the host functions of a command work on.
pub(super) struct CommandData {
    wasi: WasiP1Ctx,
    /// The same sockets, with name lookup switched on: for names that were granted.
    lookup: WasiSocketsCtx,
    network: Arc<NetworkPolicy>,
    http: WasiHttpCtx,
    http_hooks: Hooks,
    config: WasiConfigVariables,
    limiter: MemoryLimiter,
}

impl CommandData {
    /// The data of a command with this setup, held to the limits of `gauge`.
    pub(super) fn new(setup: CommandSetup, gauge: Arc<Gauge>) -> Result<Self, FolderError> {
        let network = Arc::new(setup.network);
        let mut builder = WasiCtxBuilder::new();
        builder
            .args(&setup.args)
            .envs(&setup.env)
            .inherit_stdio()
            // The guest has a thread of its own, so file calls need not move to another one.
            .allow_blocking_current_thread(true)
            // A socket may be made; each of its addresses is checked.
            .allow_tcp(true)
            .allow_udp(true)
            .allow_ip_name_lookup(false)
            .socket_addr_check({
                let network = Arc::clone(&network);
                move |address, reason| {
                    let allowed = network.allows(address, reason);
                    Box::pin(async move { allowed })
                }
            });
        for folder in &setup.folders {
            let permissions = if folder.write { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            builder
                .preopened_dir(&folder.from, &folder.at, permissions)
                .map_err(|source| FolderError { folder: folder.from.display().to_string(), source })?;
        }
        let lookup = WasiCtxBuilder::new().allow_ip_name_lookup(true).build().sockets().clone();
        Ok(Self {
            wasi: builder.build_p1(),
            lookup,
            network,
            http: WasiHttpCtx::new(),
            http_hooks: Hooks::new(
                Arc::new(Outbound::new(Grants { http: setup.http, ..Grants::default() })),
                None,
                Arc::clone(&gauge),
            ),
            config: WasiConfigVariables::from_iter(setup.config),
            limiter: MemoryLimiter::new(gauge),
        })
    }

    /// What preview 1 works on.
    pub(super) fn preview1(&mut self) -> &mut WasiP1Ctx {
        &mut self.wasi
    }

    /// What `wasi:config` answers.
    pub(super) fn config(&self) -> &WasiConfigVariables {
        &self.config
    }
}

impl Guarded for CommandData {
    fn limiter(&mut self) -> &mut MemoryLimiter {
        &mut self.limiter
    }
}

impl LookupView for CommandData {
    fn may_look_up(&mut self, name: &str) -> bool {
        self.network.may_look_up(name)
    }

    fn lookup(&mut self) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView { ctx: &mut self.lookup, table: self.wasi.ctx().table }
    }
}

impl WasiView for CommandData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

impl WasiHttpView for CommandData {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http_hooks, table: self.wasi.ctx().table, ctx: &mut self.http }
    }
}
