//! `cumulet run`: one command, once, in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use cumulet_node::run::{
    EnvFlag, FolderFlag, GrantFlag, LimitFlag, RunEnd, RunError, RunFault, RunFlags, RunLimit, RunRequest,
};
use cumulet_spec::grant::{ConfigSource, Grants};
use cumulet_spec::limit::Limits;
use cumulet_spec::manifest::Component;

use crate::command::Ended;
use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::target::Target;
use crate::terminal::Terminal;

/// The guest trapped.
const TRAPPED: Exit = Exit(134);
/// The guest met a limit.
const LIMITED: Exit = Exit(124);
/// We failed before the guest could.
const OURS: Exit = Exit(125);

/// Run a command once: a component of WASI 0.2 or 0.3, or a core module of preview 1
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is given to the command but its arguments and the standard streams: no environment, no folder, no network.
A bare file has no limits but those of --limit; a manifest's component has those of the manifest.

Exit codes: the command's own; 134 it trapped; 124 it met a limit; 125 our own failure; 2 wrong usage; 3 it is invalid or no command.

Examples:
  cumulet run hello.wasm
  cumulet run tool.wasm --dir ./data::/data:ro --env LOG=debug -- --verbose input.txt
  cumulet run client.wasm --grant network=tcp:db.internal:5432 --grant http=https://api.example.com
  cumulet run server.wasm --grant network=tcp-listen:127.0.0.1:8080
  cumulet run job.wasm --limit memory=256MiB,time=30s")]
pub(crate) struct Run {
    /// A .wasm or .wat file, a manifest, or a folder with one that has a single component
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// A folder that the command may use, as GUEST or under its own name; `:ro` makes it read-only
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro]")]
    folders: Vec<FolderFlag>,
    /// An environment variable
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<EnvFlag>,
    /// Sockets (`network=tcp:HOST:PORT`, `udp:…`, `tcp-listen:ADDRESS:PORT`, `udp-listen:…`) or outbound HTTP (`http=ORIGIN`)
    #[arg(long = "grant", value_name = "network=PATTERN|http=ORIGIN")]
    grants: Vec<GrantFlag>,
    /// Limits, separated by commas: `memory=SIZE`, `cpu=DURATION` of executed time, `time=DURATION` of wall clock
    #[arg(long = "limit", value_name = "memory=…,cpu=…,time=…")]
    limits: Vec<LimitFlag>,
    /// What the command gets as its arguments
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

impl Run {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        let mut target = Target::resolve(&self.target)?;
        fetching::fetch_blocking(&mut target, terminal)?;
        let (file, component) = single(&target, &self.target)?;
        // A bare file's owner stands at the keyboard; a manifest says what its component may use.
        let limits = target.file.is_some().then_some(component.limits);
        let request = RunRequest {
            file,
            args: self.args,
            grants: grants(&target, component),
            variables: Arc::new(variables()),
            limits: limits.as_ref().map(limit_flag).unwrap_or_default(),
            flags: RunFlags { folders: self.folders, env: self.env, grants: self.grants, limits: self.limits },
        };
        match cumulet_node::run::run(&request) {
            Ok(RunEnd::Exited(code)) => Ok(Exit(code)),
            Ok(RunEnd::Trapped(why)) => Err(Failure::new(TRAPPED, "the command trapped").at(&request.file).why(why)),
            Ok(RunEnd::Limited(limit)) => Err(limited(&limit, &request.file)),
            Err(error) => Err(failed(&error, &request.file)),
        }
    }
}

fn single<'a>(target: &'a Target, path: &Path) -> Result<(PathBuf, &'a Component), Box<Failure>> {
    let mut sources = target.sources()?;
    match (sources.pop(), sources.is_empty()) {
        (Some((_, component, file)), true) => Ok((file, component)),
        _ => Err(Failure::new(Exit::USAGE, "the manifest has several components, and `run` takes one")
            .at(path)
            .next("name the component's own file")),
    }
}

/// The component's grants, its folders as seen from here.
fn grants(target: &Target, component: &Component) -> Grants {
    let mut grants = component.grants.clone();
    for folder in &mut grants.file {
        folder.from = target.base_dir.join(&folder.from);
    }
    for source in grants.config.values_mut() {
        if let ConfigSource::File(path) = source {
            *path = target.base_dir.join(&*path);
        }
    }
    grants
}

fn limit_flag(limits: &Limits) -> LimitFlag {
    LimitFlag { memory: Some(limits.memory), cpu: Some(limits.cpu), time: Some(limits.time) }
}

fn limited(limit: &RunLimit, file: &Path) -> Box<Failure> {
    let failure = Failure::new(LIMITED, "the command was ended").at(file).why(limit.to_string());
    match limit {
        RunLimit::Memory => failure.next("give it more with `--limit memory=SIZE`"),
        RunLimit::Cpu => failure.next("give it more with `--limit cpu=DURATION`"),
        RunLimit::Time => failure.next("give it more with `--limit time=DURATION`"),
        RunLimit::Host(_) => failure,
    }
}

fn failed(error: &RunError, file: &Path) -> Box<Failure> {
    let exit = match error.fault() {
        RunFault::Usage => Exit::USAGE,
        RunFault::Invalid => Exit::INVALID,
        RunFault::Host => OURS,
    };
    let failure = Failure::new(exit, "cannot run the command").at(file).because(error);
    match error.help() {
        Some(help) => failure.next(help),
        None => failure,
    }
}
