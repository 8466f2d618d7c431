//! What the command line says, and where the programs and components under test lie.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, Parser};

use crate::native;

/// Ratios beside peers, measured in one run.
#[derive(Debug, Parser)]
#[command(name = "cumulet-bench", after_help = "Example: cumulet-bench http --quick")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: CliCommand,
}

/// The benches, and the server mode that they use as their native peer.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CliCommand {
    /// Requests per processor second and latency of one small component.
    Http(Settings),
    /// A fresh store, instance, call and drop inside one process.
    Instance(Settings),
    /// The example apps under load.
    Examples(Settings),
    /// Guest code against the same code run natively.
    Compute(Settings),
    /// Large bodies through a guest.
    Stream(Settings),
    /// Stores through a guest, beside their providers.
    Capability(Settings),
    /// Many apps that sleep, and many isolates that wait.
    Density(Settings),
    /// The first request to an app that is not loaded, beside a container and a Node.js process.
    Cold(Settings),
    /// One tenant's requests beside another's that never end.
    Neighbour(Settings),
    /// What measuring costs, and how right a bill is.
    Meter(Settings),
    /// From bytes to the first answer, and requests while deploys and rollbacks go on.
    Deploy(Settings),
    /// A fresh isolate of each language, and a call from one component of a composition to another.
    Start(Settings),
    /// All of them, one after the other.
    All(Settings),
    /// Serve natively with bare hyper: the peer that runs no guest.
    #[command(hide = true)]
    ServeHyper(native::Options),
}

/// A bench's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// `http`
    Http,
    /// `instance`
    Instance,
    /// `examples`
    Examples,
    /// `compute`
    Compute,
    /// `stream`
    Stream,
    /// `capability`
    Capability,
    /// `density`
    Density,
    /// `cold`
    Cold,
    /// `neighbour`
    Neighbour,
    /// `meter`
    Meter,
    /// `deploy`
    Deploy,
    /// `start`
    Start,
}

impl Name {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Http,
        Self::Instance,
        Self::Examples,
        Self::Compute,
        Self::Stream,
        Self::Capability,
        Self::Density,
        Self::Cold,
        Self::Neighbour,
        Self::Meter,
        Self::Deploy,
        Self::Start,
    ];
}

/// What all benches take.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Two short repetitions: shows that the bench works, and roughly where things stand.
    #[arg(long)]
    pub(crate) quick: bool,
    /// `http`: also with instances that serve 1,000 requests each, on both sides.
    #[arg(long)]
    pub(crate) reuse: bool,
    /// `density`: how many small apps are deployed; 100,000 take about half an hour.
    #[arg(long)]
    pub(crate) apps: Option<usize>,
    /// `deploy`: requests a second while deploys and rollbacks go on; otherwise half of what the node can take, up to 10,000.
    #[arg(long)]
    pub(crate) rate: Option<u32>,
    /// The wasmtime program of version 48; otherwise the one on PATH.
    #[arg(long, env = "CUMULET_BENCH_WASMTIME")]
    wasmtime: Option<PathBuf>,
    /// The cumulet program; otherwise the one beside this program.
    #[arg(long, env = "CUMULET_BENCH_CUMULET")]
    cumulet: Option<PathBuf>,
    /// The folder with the example components; otherwise the examples' own target folder.
    #[arg(long, env = "CUMULET_BENCH_COMPONENTS")]
    components: Option<PathBuf>,
}

impl Settings {
    /// The repository.
    pub(crate) fn root() -> PathBuf {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
        bench.parent().unwrap_or(bench).to_path_buf()
    }

    /// Where JSON and logs go: `bench` in cargo's target folder.
    pub(crate) fn out() -> Result<PathBuf> {
        let own = own_program()?;
        let target = own.parent().and_then(Path::parent).context("this program lies in no target folder")?;
        Ok(target.join("bench"))
    }

    /// How often each measurement is repeated.
    pub(crate) fn repetitions(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// wasmtime 48, or why it is left out.
    pub(crate) fn wasmtime(&self) -> Result<PathBuf, String> {
        let program = self.wasmtime.clone().unwrap_or_else(|| "wasmtime".into());
        let version = Command::new(&program).arg("--version").output();
        let version = version.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_string()).unwrap_or_default();
        if version.starts_with("wasmtime 48.") {
            return Ok(program);
        }
        let found = if version.is_empty() { "not found".into() } else { format!("found {version}") };
        Err(format!(
            "wasmtime serve 48 ({found}): cargo install wasmtime-cli --version '^48' --locked, then PATH, --wasmtime or CUMULET_BENCH_WASMTIME"
        ))
    }

    /// Whether the cumulet program was named, and need not have been built as this program was.
    pub(crate) fn names_cumulet(&self) -> bool {
        self.cumulet.is_some()
    }

    /// The cumulet program, or why it is left out.
    pub(crate) fn cumulet(&self) -> Result<PathBuf, String> {
        let beside = || own_program().ok().map(|own| own.with_file_name("cumulet"));
        let program = self.cumulet.clone().or_else(beside).filter(|program| program.is_file());
        program.ok_or_else(|| "cumulet: cargo build --release -p cumulet, or --cumulet PATH".into())
    }

    /// The component of a test guest, as in `hostile`, or why it is left out.
    pub(crate) fn guest(&self, name: &str) -> Result<PathBuf, String> {
        let folder = Self::root().join("tests/guests/target/wasm32-wasip2/release");
        let path = folder.join(format!("{name}.wasm"));
        if path.is_file() {
            return Ok(path);
        }
        Err(format!("guest {name} ({} is missing): cargo xtask guests", path.display()))
    }

    /// An example's component, as in `hello_p3`, or why it is left out.
    pub(crate) fn component(&self, name: &str) -> Result<PathBuf, String> {
        let folder =
            self.components.clone().unwrap_or_else(|| Self::root().join("examples/target/wasm32-wasip2/release"));
        let path = folder.join(format!("{name}.wasm"));
        if path.is_file() {
            return Ok(path);
        }
        Err(format!("component {name} ({} is missing): cargo xtask guests", path.display()))
    }
}

/// This program.
pub(crate) fn own_program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own path")
}
