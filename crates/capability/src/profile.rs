//! What a component's grants come to, worked out once for each revision.

use crate::command::{LookupError, NetworkPolicy};
use crate::exchange::Exchange;
use crate::outbound::Outbound;
use crate::output::{Capture, Channel, OutputSink};
use cumulet_spec::grant::Grants;
use cumulet_spec::id::RequestId;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_config::WasiConfigVariables;

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

/// The parts of a guest's surroundings that do not differ between its invocations.
///
/// Folders are open, values are parsed and clients stand ready, so that a request opens no file and parses nothing.
pub struct Profile {
    env: Vec<(String, String)>,
    folders: Option<WasiFilesystemCtx>,
    network: Option<Arc<NetworkPolicy>>,
    config: WasiConfigVariables,
    outbound: Arc<Outbound>,
    sink: Arc<dyn OutputSink>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}

impl Profile {
    /// Works out what `grants` come to. Relative folders are taken from `base`.
    ///
    /// # Errors
    /// When a granted folder cannot be opened or a granted name has no address.
    pub async fn new(grants: &Grants, base: &Path, sink: Arc<dyn OutputSink>) -> Result<Self, ProfileError> {
        Ok(Self {
            env: grants.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            folders: open_folders(grants, base)?,
            network: resolve_network(grants).await?,
            config: grants.config.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            outbound: Arc::new(Outbound::new(grants.clone())),
            sink,
        })
    }

    pub(crate) fn config(&self) -> &WasiConfigVariables {
        &self.config
    }

    /// Whether a guest may look up this name.
    pub(crate) fn may_look_up(&self, name: &str) -> bool {
        self.network.as_ref().is_some_and(|network| network.may_look_up(name))
    }

    pub(crate) fn outbound(&self) -> &Arc<Outbound> {
        &self.outbound
    }

    /// The WASI context of one invocation.
    pub(crate) fn context(&self, exchange: &Arc<Exchange>, request: &RequestId) -> WasiCtx {
        let capture = |channel| Capture {
            sink: Arc::clone(&self.sink),
            exchange: Arc::clone(exchange),
            request: *request,
            channel,
        };
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(capture(Channel::Stdout)).stderr(capture(Channel::Stderr));
        for (name, value) in &self.env {
            builder.env(name, value);
        }
        if let Some(policy) = &self.network {
            let policy = Arc::clone(policy);
            builder.allow_tcp(true).allow_udp(true).socket_addr_check(move |address, reason| {
                let allowed = policy.allows(address, reason);
                Box::pin(async move { allowed })
            });
        }
        let mut context = builder.build();
        if let Some(folders) = &self.folders {
            *context.filesystem() = folders.clone();
        }
        context
    }
}

/// Names are looked up once, here: one that later points elsewhere opens nothing new.
async fn resolve_network(grants: &Grants) -> Result<Option<Arc<NetworkPolicy>>, ProfileError> {
    if grants.network.is_empty() {
        return Ok(None);
    }
    let rules = grants.network.iter().cloned().map(Into::into).collect();
    let policy = NetworkPolicy::resolve(rules).await.map_err(ProfileError::Name)?;
    Ok(Some(Arc::new(policy)))
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
