//! The commands, one a file.

mod apps;
mod build;
mod check;
mod compile_worker;
mod completions;
mod componentize;
mod deploy;
mod doctor;
mod key;
mod logs;
mod new;
mod node;
mod pull;
mod push;
mod remove;
mod revisions;
mod rollback;
mod run;
mod secret;
mod sign;
mod tenant;
mod token;
mod top;
mod traffic;
mod up;
mod usage;

use std::future::Future;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// How a command ended: an exit code, or what went wrong.
pub(crate) type Ended = Result<Exit, Box<Failure>>;

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Up),
    Node(node::Node),
    Run(run::Run),
    Check(check::Check),
    Build(build::Build),
    New(new::New),
    Componentize(componentize::Componentize),
    Deploy(deploy::Deploy),
    Apps(apps::Apps),
    Revisions(revisions::Revisions),
    Traffic(traffic::Traffic),
    Rollback(rollback::Rollback),
    Remove(remove::Remove),
    Tenant(tenant::Tenant),
    Token(token::Token),
    Secret(secret::Secret),
    Push(push::Push),
    Pull(pull::Pull),
    Sign(sign::Sign),
    Key(key::Key),
    Usage(usage::Usage),
    Logs(logs::Logs),
    Top(top::Top),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    #[command(hide = true)]
    CompileWorker(compile_worker::CompileWorker),
}

impl Command {
    /// Does it.
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        match self {
            Self::Up(up) => block_on(up.execute(terminal))?,
            Self::Node(node) => block_on(node.execute(terminal))?,
            Self::Run(run) => run.execute(terminal),
            Self::Check(check) => check.execute(terminal),
            Self::Build(build) => block_on(build.execute(terminal))?,
            Self::New(new) => new.execute(terminal),
            Self::Componentize(componentize) => componentize.execute(terminal),
            Self::Deploy(deploy) => block_on(deploy.execute(terminal))?,
            Self::Apps(apps) => block_on(apps.execute(terminal))?,
            Self::Revisions(revisions) => block_on(revisions.execute(terminal))?,
            Self::Traffic(traffic) => block_on(traffic.execute(terminal))?,
            Self::Rollback(rollback) => block_on(rollback.execute(terminal))?,
            Self::Remove(remove) => block_on(remove.execute(terminal))?,
            Self::Tenant(tenant) => block_on(tenant.execute(terminal))?,
            Self::Token(token) => block_on(token.execute(terminal))?,
            Self::Secret(secret) => secret.execute(terminal),
            Self::Push(push) => block_on(push.execute(terminal))?,
            Self::Pull(pull) => block_on(pull.execute(terminal))?,
            Self::Sign(sign) => sign.execute(terminal),
            Self::Key(key) => key.execute(terminal),
            Self::Usage(usage) => block_on(usage.execute(terminal))?,
            Self::Logs(logs) => block_on(logs.execute(terminal))?,
            Self::Top(top) => block_on(top.execute(terminal))?,
            Self::Doctor(doctor) => block_on(doctor.execute(terminal))?,
            Self::Completions(completions) => Ok(completions.execute()),
            Self::CompileWorker(worker) => worker.execute(),
        }
    }
}

/// Runs `future` on a runtime with a thread for every core.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Box<Failure>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::FAILED, "cannot start the threads that commands run on").because(&error))?;
    let value = runtime.block_on(future);
    // What still blocks (a read of standard input) must not keep the process.
    runtime.shutdown_background();
    Ok(value)
}
