//! What serves both tenants.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::Stage;
use crate::fleet::{NodeLaunch, NodeProcess, Threads};
use crate::peer::wasmtime;
use crate::process::{Launch, Server};

/// A kind of server.
#[derive(Debug)]
pub(super) enum Peer {
    /// `cumulet node` with two tenants.
    Cumulet,
    /// Another one, which has none.
    Other(Launch),
}

/// A server that runs.
#[derive(Debug)]
pub(super) enum Running {
    /// See [`Peer::Cumulet`].
    Cumulet(NodeProcess),
    /// See [`Peer::Other`].
    Other(Server),
}

impl Peer {
    /// Tuned `wasmtime serve`; its guests yield to each other only where it is given a timeout.
    pub(super) fn wasmtime(program: &Path, component: &Path) -> Self {
        let mut launch = wasmtime("wasmtime serve", program, component, 1);
        launch.args.insert(1, "-Wtimeout=600".into());
        Self::Other(launch)
    }

    /// Its name in tables.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Cumulet => "cumulet node",
            Self::Other(launch) => &launch.name,
        }
    }

    /// Starts it.
    pub(super) fn start(&self, stage: &Stage<'_>) -> Result<Running> {
        match self {
            Self::Cumulet => {
                let launch = NodeLaunch {
                    program: &stage.program,
                    data: stage.data.path(),
                    config: "",
                    cores: &stage.split.server,
                    log: &stage.logs.join("neighbour-node.log"),
                };
                NodeProcess::start(&launch).map(Running::Cumulet)
            }
            Self::Other(launch) => launch.start(&stage.split.server, stage.logs).map(Running::Other),
        }
    }
}

impl Running {
    /// Where it answers.
    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Cumulet(node) => node.address,
            Self::Other(server) => server.address,
        }
    }

    /// Processor time so far.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        match self {
            Self::Cumulet(node) => Threads::of(node.pid()).map(|threads| threads.all()),
            Self::Other(server) => server.cpu_seconds(),
        }
    }
}
