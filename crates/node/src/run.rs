//! `cumulet run`: one command, once, in this process.
//!
//! Nothing of the road of a request is used here: no routes, no admission, no usage record. The guest belongs to the
//! person who starts it, so it has no limits but those that they set.

mod flag;
mod plan;

use crate::run::plan::Plan;
use crate::values::{ValueError, Variables};
use cumulet_capability::command::{Command, CommandEnd, CommandError, CommandSetup, FolderError};
use cumulet_capability::command::{LookupError, NetworkPolicy};
use cumulet_engine::{Ending, Engines, PoolSettings, Ticker};
use cumulet_spec::grant::Grants;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::{Builder, Handle};

pub use crate::run::flag::{EnvFlag, FlagError, FolderFlag, GrantFlag, LimitFlag};

/// Threads that serve the guest's sockets and timers; the guest itself has a thread of its own.
const WORKER_THREADS: usize = 2;

/// What to run, and what it is given.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// A `.wasm` or `.wat` file.
    pub file: PathBuf,
    /// The arguments after the program's name.
    pub args: Vec<String>,
    /// What its manifest grants; folders must be absolute or relative to the current one.
    pub grants: Grants,
    /// The environment that configuration values may come from.
    pub variables: Arc<Variables>,
    /// What its manifest limits; nothing if it has none.
    pub limits: LimitFlag,
    /// What the flags say, on top of that.
    pub flags: RunFlags,
}

/// The flags of `cumulet run`.
#[derive(Debug, Clone, Default)]
pub struct RunFlags {
    /// Folders, beside those of the manifest.
    pub folders: Vec<FolderFlag>,
    /// Environment variables; they replace those of the manifest.
    pub env: Vec<EnvFlag>,
    /// Grants, beside those of the manifest.
    pub grants: Vec<GrantFlag>,
    /// Limits; they replace those of the manifest.
    pub limits: Vec<LimitFlag>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// It returned or exited, with this code.
    Exited(u8),
    /// It trapped; the text says why and where.
    Trapped(String),
    /// It met a limit.
    Limited(RunLimit),
}

/// The limit that ended a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunLimit {
    /// Growth was refused, and it gave up.
    #[error("it needs more memory than its limit")]
    Memory,
    /// Executed time.
    #[error("it passed its limit of executed time")]
    Cpu,
    /// Wall clock.
    #[error("it passed its time limit")]
    Time,
    /// Bytes or handles of host calls.
    #[error("it passed a limit of host calls: {0}")]
    Host(String),
}

/// Why a command could not be run.
#[derive(Debug, Error)]
pub enum RunError {
    /// The file cannot be read.
    #[error("cannot read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text format does not parse.
    #[error("the text of the module or component is invalid")]
    Text {
        /// Where and why.
        source: wat::Error,
    },
    /// The file is no command that can be run here.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A folder cannot be given.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A configuration value cannot be had.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A granted host has no address.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// Threads cannot be started.
    #[error("cannot start the threads that run a command")]
    Threads {
        /// What the system says.
        source: std::io::Error,
    },
    /// Our own fault while the guest ran.
    #[error("the engine failed: {0}")]
    Internal(String),
}

/// Who can do something about a [`RunError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFault {
    /// The command line asks for what is not there.
    Usage,
    /// The module or component is invalid, or is no command.
    Invalid,
    /// This machine, or we.
    Host,
}

impl RunError {
    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> RunFault {
        match self {
            Self::Read { .. } | Self::Folder(_) | Self::Value(_) => RunFault::Usage,
            Self::Command(source) if !source.is_guest_fault() => RunFault::Host,
            Self::Text { .. } | Self::Command(_) => RunFault::Invalid,
            Self::Lookup(_) | Self::Threads { .. } | Self::Internal(_) => RunFault::Host,
        }
    }

    /// The next step, where one is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Command(source) => Some(source.help()),
            Self::Lookup(_) => Some("check the name in `--grant network=…`, or give an address"),
            Self::Folder(_) => Some("check the folder in `--dir`"),
            Self::Value(_) => Some("check where the manifest takes its `config` from"),
            Self::Read { .. } => Some("build the component, or name the file that it was built to"),
            Self::Text { .. } | Self::Threads { .. } | Self::Internal(_) => None,
        }
    }
}

/// Runs a command to its end, on the standard streams of this process.
///
/// Must be called outside of any asynchronous runtime: it sets up its own.
///
/// # Errors
/// When the target cannot be run; nothing of it has run then, except for [`RunError::Internal`].
pub fn run(request: &RunRequest) -> Result<RunEnd, RunError> {
    let plan = plan::plan(request)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build()
        .map_err(|source| RunError::Threads { source })?;
    let end = runtime.block_on(drive(plan));
    // A guest that is stuck in a host call, or a thread that waits for standard input, must not hold up the exit.
    runtime.shutdown_background();
    if !matches!(end, Ok(RunEnd::Limited(RunLimit::Time))) {
        // After the time limit the guest may hold the stream. A reader that went away is no failure.
        drop(std::io::stdout().flush());
    }
    end
}

async fn drive(plan: Plan) -> Result<RunEnd, RunError> {
    let network = NetworkPolicy::resolve(plan.network).await?;
    let engines = Engines::new(PoolSettings { slots: 1, pagemap_scan: false, ..PoolSettings::default() });
    let ticker = Ticker::start(engines.clone()).map_err(|source| RunError::Threads { source })?;
    let command = Command::compile(&engines, &plan.binary)?;
    let setup = CommandSetup {
        args: plan.args,
        env: plan.env,
        folders: plan.folders,
        network,
        http: plan.http,
        config: plan.config,
        memory_bytes_max: plan.limits.memory.map(|memory| memory.0),
        cpu_nanos_max: plan.limits.cpu.map(nanos),
    };
    let guest = tokio::task::spawn_blocking(move || {
        let _running = ticker.running();
        Handle::current().block_on(command.run(setup))
    });
    let ended = match plan.limits.time {
        Some(limit) => match tokio::time::timeout(limit, guest).await {
            Ok(ended) => ended,
            Err(_) => return Ok(RunEnd::Limited(RunLimit::Time)),
        },
        None => guest.await,
    };
    let ended = ended.map_err(|error| RunError::Internal(error.to_string()))??;
    match ended {
        CommandEnd::Exited(code) => Ok(RunEnd::Exited(code)),
        CommandEnd::Ended(Ending::Trap(why)) => Ok(RunEnd::Trapped(why)),
        CommandEnd::Ended(Ending::CpuLimit) => Ok(RunEnd::Limited(RunLimit::Cpu)),
        CommandEnd::Ended(Ending::MemoryLimit) => Ok(RunEnd::Limited(RunLimit::Memory)),
        CommandEnd::Ended(Ending::HostLimit(which)) => Ok(RunEnd::Limited(RunLimit::Host(which))),
        CommandEnd::Ended(Ending::PoolExhausted(why)) => Err(RunError::Internal(why)),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
