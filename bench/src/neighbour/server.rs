//! What serves both tenants.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::Stage;
use super::spin::Loop;
use crate::fleet::{NodeLaunch, NodeProcess, Threads};
use crate::peer::wasmtime;
use crate::process::{Launch, Server};
use crate::workerd;

/// The longest that is waited for answers after the last request.
const GRACE: Duration = Duration::from_secs(15);
/// The same where none is to be expected.
const GRACE_UNYIELDING: Duration = Duration::from_secs(1);
/// What the guest does, as a worker.
const WORKER: &str = r#"export default {
  fetch(request) {
    if (new URL(request.url).pathname === "/spin") {
      for (let turn = 0; ; turn = (turn + 1) | 0);
    }
    return new Response("1\n");
  },
};
"#;

/// A kind of server.
#[derive(Debug)]
pub(super) enum Peer {
    /// `cumulet node` with two tenants.
    Cumulet,
    /// Another one, which has none.
    Other(Launch),
    /// One whose requests do not yield to each other: what waits beside one that never ends waits without end.
    Unyielding(Launch),
}

/// A server that runs.
#[derive(Debug)]
pub(super) enum Running {
    /// See [`Peer::Cumulet`].
    Cumulet(NodeProcess),
    /// See [`Peer::Other`] and [`Peer::Unyielding`].
    Other(Server),
}

impl Peer {
    /// Tuned `wasmtime serve`; its guests yield to each other only where it is given a timeout.
    pub(super) fn wasmtime(program: &Path, component: &Path) -> Self {
        let mut launch = wasmtime("wasmtime serve", program, component, 1);
        launch.args.insert(1, "-Wtimeout=600".into());
        Self::Other(launch)
    }

    /// One worker for both tenants: isolates of their own would run on the same thread.
    pub(super) fn workerd(folder: &Path) -> Result<Self, String> {
        workerd::launch(folder, &[("main.mjs", WORKER)]).map(Self::Unyielding)
    }

    /// Its name in tables.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Cumulet => "cumulet node",
            Self::Other(launch) | Self::Unyielding(launch) => &launch.name,
        }
    }

    /// Whether it has such a loop: JavaScript has no instruction that fills memory.
    pub(super) fn runs(&self, kind: Loop) -> bool {
        kind == Loop::Plain || !matches!(self, Self::Unyielding(_))
    }

    /// The longest that is waited for its answers after the last request.
    pub(super) fn grace(&self) -> Duration {
        match self {
            Self::Cumulet | Self::Other(_) => GRACE,
            Self::Unyielding(_) => GRACE_UNYIELDING,
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
            Self::Other(launch) | Self::Unyielding(launch) => {
                launch.start(&stage.split.server, stage.logs).map(Running::Other)
            }
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
