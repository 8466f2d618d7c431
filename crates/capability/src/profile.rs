//! What a component's grants come to, worked out once for each revision.

use crate::cgi::Call;
use crate::clock::{Coarse, Noted};
use crate::command::{LookupError, NetworkPolicy};
use crate::occupant::Occupant;
use crate::outbound::{Outbound, OutboundOptions};
use crate::output::{Capture, Channel, OutputSink};
use crate::stores::GrantedStores;
use crate::values::Values;
use crate::witness::{Witness, note};
use cumulet_provider::Stores;
use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::AppId;
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use wasmtime_wasi::clocks::WallClock;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

/// A grant cannot be honoured on this machine.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// A folder that does not open.
    #[error("cannot open the granted folder {}: {source:#}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: wasmtime::Error,
    },
    /// A name without an address.
    #[error(transparent)]
    Name(LookupError),
}

/// What a component's grants are worked out with.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The app, whose stores these are.
    pub app: &'a AppId,
    /// The folder that relative folders are taken from.
    pub base: &'a Path,
    /// Where the guest's output goes.
    pub sink: Arc<dyn OutputSink>,
    /// What stands behind its configuration and secrets.
    pub values: Values,
    /// What stands behind its stores.
    pub stores: Arc<Stores>,
    /// Root certificates that outbound requests trust like those of the platform.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The steps in which the guest's clocks move; as fine as the system's when there are none.
    pub clock_step: Option<Duration>,
    /// Who wants to know what is asked for.
    pub witness: Option<Arc<Witness>>,
}

/// The parts of a guest's surroundings that do not differ between its invocations.
///
/// Folders are open, values are parsed and clients stand ready, so that a request opens no file and parses nothing.
pub struct Profile {
    env: Vec<(String, String)>,
    clock_step: Option<Duration>,
    folders: Option<WasiFilesystemCtx>,
    network: Option<Arc<NetworkPolicy>>,
    values: Values,
    stores: GrantedStores,
    witness: Option<Arc<Witness>>,
    outbound: Arc<Outbound>,
    sink: Arc<dyn OutputSink>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}

impl Profile {
    /// Works out what `grants` come to.
    ///
    /// # Errors
    /// When a granted folder cannot be opened or a granted name has no address.
    pub async fn new(grants: &Grants, around: Surroundings<'_>) -> Result<Self, ProfileError> {
        let Surroundings { app, base, sink, values, stores, extra_roots, clock_step, witness } = around;
        let outbound = OutboundOptions { extra_roots, resolver: None, witness: witness.clone() };
        Ok(Self {
            env: grants.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            clock_step,
            folders: open_folders(grants, base)?,
            network: resolve_network(grants).await?,
            values,
            stores: GrantedStores::new(app.clone(), grants, stores, witness.clone()),
            witness,
            outbound: Arc::new(Outbound::with_options(grants.clone(), outbound)),
            sink,
        })
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    pub(crate) fn stores(&self) -> &GrantedStores {
        &self.stores
    }

    /// Who wants to know what is asked for, if anybody does.
    pub(crate) fn witness(&self) -> Option<&Witness> {
        self.witness.as_deref()
    }

    /// Whether a guest may look up this name.
    pub(crate) fn may_look_up(&self, name: &str) -> bool {
        self.network.as_ref().is_some_and(|network| network.may_look_up(name))
    }

    /// Whether it would be noticed if making an instance reached out: what a guest does with a folder is not counted, and
    /// who watches what is asked for wants to see it with its request.
    pub(crate) fn allows_ahead(&self) -> bool {
        self.folders.is_none() && self.witness.is_none()
    }

    pub(crate) fn outbound(&self) -> &Arc<Outbound> {
        &self.outbound
    }

    /// The WASI context of one instance.
    pub(crate) fn context(&self, occupant: &Occupant) -> WasiCtx {
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(self.capture(occupant, Channel::Stdout)).envs(&self.env);
        self.complete(builder, occupant)
    }

    /// The same for a program that answers a request.
    pub(crate) fn context_of(&self, call: &Call, occupant: &Occupant) -> WasiCtx {
        let mut builder = WasiCtxBuilder::new();
        builder.stdin(call.stdin.clone()).stdout(call.stdout.clone());
        builder.envs(&call.environment(&self.env)).args(&call.arguments());
        self.complete(builder, occupant)
    }

    fn capture(&self, occupant: &Occupant, channel: Channel) -> Capture {
        Capture { sink: Arc::clone(&self.sink), occupant: occupant.clone(), channel }
    }

    /// A context with everything that no request changes.
    fn complete(&self, mut builder: WasiCtxBuilder, occupant: &Occupant) -> WasiCtx {
        builder.stderr(self.capture(occupant, Channel::Stderr));
        let is_ahead = occupant.with(|exchange, _| exchange.is_ahead());
        match self.clock_step.map(Coarse::wall) {
            Some(clock) if is_ahead => builder.wall_clock(Noted { clock, occupant: occupant.clone() }),
            Some(clock) => builder.wall_clock(clock),
            None if is_ahead => builder.wall_clock(Noted { clock: WallClock::new(), occupant: occupant.clone() }),
            None => &mut builder,
        };
        if let Some(step) = self.clock_step {
            builder.monotonic_clock(Coarse::monotonic(step));
        }
        if let Some(policy) = &self.network {
            let (policy, witness, occupant) = (Arc::clone(policy), self.witness.clone(), occupant.clone());
            builder.allow_tcp(true).allow_udp(true).socket_addr_check(move |address, reason| {
                let allowed = policy.allows(address, reason);
                occupant.with(|exchange, _| exchange.gauge().called(Capability::Network));
                note_socket(witness.as_deref(), address, reason, allowed);
                Box::pin(async move { allowed })
            });
        } else if self.witness.is_some() {
            // Denied all the same, and seen.
            let witness = self.witness.clone();
            builder.allow_tcp(true).allow_udp(true).socket_addr_check(move |address, reason| {
                note_socket(witness.as_deref(), address, reason, false);
                Box::pin(async { false })
            });
        }
        let mut context = builder.build();
        if let Some(folders) = &self.folders {
            *context.filesystem() = folders.clone();
        }
        context
    }
}

/// Remembers where a guest's sockets were to go.
fn note_socket(witness: Option<&Witness>, address: SocketAddr, reason: SocketAddrUse, granted: bool) {
    let protocol = match reason {
        SocketAddrUse::TcpConnect => "tcp",
        SocketAddrUse::UdpSend => "udp",
        SocketAddrUse::TcpBind
        | SocketAddrUse::TcpListen
        | SocketAddrUse::TcpAccept
        | SocketAddrUse::UdpBind
        | SocketAddrUse::UdpReceive => return,
    };
    note(witness, Capability::Network, &format!("{protocol}:{address}"), granted);
}

/// Names are looked up once, here: one that later points elsewhere opens nothing new.
async fn resolve_network(grants: &Grants) -> Result<Option<Arc<NetworkPolicy>>, ProfileError> {
    if grants.network.is_empty() {
        return Ok(None);
    }
    let rules = grants.network.iter().cloned().map(Into::into).collect();
    let policy = NetworkPolicy::resolve(rules).await.map_err(ProfileError::Name)?;
    Ok(Some(Arc::new(policy.guarded())))
}

fn open_folders(grants: &Grants, base: &Path) -> Result<Option<WasiFilesystemCtx>, ProfileError> {
    if grants.file.is_empty() {
        return Ok(None);
    }
    let mut builder = WasiCtxBuilder::new();
    for folder in &grants.file {
        let path = base.join(&folder.from);
        let access = if folder.write { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        builder
            .preopened_dir(&path, &folder.at, access)
            .map_err(|source| ProfileError::Folder { path: path.clone(), source })?;
    }
    Ok(Some(builder.build().filesystem().clone()))
}
