//! Builds and serves the example apps, from nothing to an answer.

mod requests;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::repository::Repository;
use crate::setup::guest_target;
use crate::steps::{OnFailure, Steps};
use crate::{guests, process};

/// The demo app: a manifest that joins the example components.
const APP: &str = "examples/demo";

/// Where and how the demo is served.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask demo --port 8080")]
pub(crate) struct Options {
    /// The port to serve at, on this machine only; metrics are at the next one
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u16).range(1..=65534))]
    port: u16,
    /// Build the program without optimisation: compiles faster, serves slower
    #[arg(long)]
    dev: bool,
}

/// Adds the guest target, builds, serves, and prints a curl line for each example until Ctrl-C.
pub(crate) fn run(repository: &Repository, options: &Options) -> anyhow::Result<()> {
    let app = repository.root().join(APP);
    if !app.join("cumulet.toml").is_file() {
        bail!("{APP}/cumulet.toml is missing: run this in a whole checkout");
    }
    let profile = if options.dev { "dev" } else { "release" };
    let mut steps = Steps::new(OnFailure::Stop);
    let mut served = None;
    steps.run("target: what components are compiled for", guest_target::ensure);
    steps.run("guests: the example apps as components", || guests::build_one(repository, "examples"));
    steps.run(&format!("binary: cumulet, profile {profile}"), || {
        let arguments = ["build", "--profile", profile, "-p", "cumulet"];
        process::run(&mut process::cargo(repository.root(), &arguments))
    });
    steps.run("start: compile the components and serve", || {
        served = Some(Served::start(repository, options, &app)?);
        Ok(())
    });
    println!("\nWhere the time went:\n{}", steps.summary());
    let Some(mut served) = served else { bail!("the demo did not start; the failed step is marked above") };
    println!("\n{}", requests::instructions(&app, &served.url, options.port + 1)?);
    println!("\nCtrl-C stops it.");
    served.wait()
}

/// The program while it serves.
struct Served {
    child: Child,
    url: String,
    output: BufReader<ChildStdout>,
}

impl Served {
    /// Starts the program and waits until it says that it is ready.
    fn start(repository: &Repository, options: &Options, app: &Path) -> anyhow::Result<Self> {
        let folder = if options.dev { "debug" } else { "release" };
        let program = repository.target().join(folder).join("cumulet");
        let mut child = Command::new(&program)
            .arg("up")
            .arg(app)
            .args(["--listen", &format!("127.0.0.1:{}", options.port)])
            .args(["--admin", &format!("127.0.0.1:{}", options.port + 1)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // A group of its own: Ctrl-C reaches it once, through us.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        forward_signals(&child)?;
        let mut output = BufReader::new(child.stdout.take().context("its output is not connected")?);
        let mut line = String::new();
        while output.read_line(&mut line)? > 0 {
            print!("{line}");
            if let Some(url) = ready_url(&line) {
                return Ok(Self { url: url.to_owned(), child, output });
            }
            line.clear();
        }
        bail!("cumulet ended before it was ready ({})", child.wait()?)
    }

    /// Passes its output on until it ends.
    fn wait(&mut self) -> anyhow::Result<()> {
        std::io::copy(&mut self.output, &mut std::io::stdout())?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("cumulet ended ({status})");
        }
        Ok(())
    }
}

/// The address in `ready http://HOST:PORT/`, without the last slash.
fn ready_url(line: &str) -> Option<&str> {
    line.trim().strip_prefix("ready ").map(|url| url.trim_end_matches('/'))
}

/// What would end us ends the program instead, which drains; we end after it.
fn forward_signals(child: &Child) -> anyhow::Result<()> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("the program has no process id")?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            // It may have ended by itself.
            kill_process(pid, Signal::TERM).ok();
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_comes_from_the_ready_line() {
        assert_eq!(ready_url("ready http://127.0.0.1:3000/\n"), Some("http://127.0.0.1:3000"));
        assert_eq!(ready_url("already there"), None);
    }
}
