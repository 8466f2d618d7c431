//! `cumulet up`: serves a target on this machine until a signal ends it.

pub(super) mod flag;
mod observed;
mod reload;
pub(super) mod serving;
mod summary;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cumulet_node::Observe;
use cumulet_node::run::EnvFlag;
use cumulet_spec::binding::{Binding, BindingError};
use cumulet_spec::quantity::parse_duration;
use serde_json::json;

use crate::command::up::flag::address;
use crate::command::up::reload::Reload;
use crate::command::up::serving::{Serving, Signals, end};
use crate::command::{Ended, check};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::log;
use crate::making;
use crate::review::{self, Purpose};
use crate::target::Target;
use crate::terminal::Terminal;

/// Build if a build is given, then serve: a fresh isolate for every request
#[derive(Debug, Args)]
#[command(after_help = "\
Prints `ready http://HOST:PORT/` on standard output once it serves; with --json {\"event\":\"ready\",\"url\":…,\"admin\":…}.
Events, one for each invocation, go to standard error; with --quiet only those that did not end well. \
The first SIGINT or SIGTERM drains: nothing new is accepted, what runs is finished. The second ends it at once.

Examples:
  cumulet up
  cumulet up shop --watch --env LOG=debug
  cumulet up shop --bind postgres.main=env:DATABASE_URL
  cumulet up hello.wasm --listen 0.0.0.0:8080 --json")]
pub(crate) struct Up {
    /// A folder with cumulet.toml, that file, or a .wasm or .wat file (every route goes to it, nothing is granted)
    #[arg(value_name = "TARGET", default_value = ".")]
    target: PathBuf,
    /// Where requests are answered; port 0 picks one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000", value_parser = address)]
    listen: SocketAddr,
    /// Where /metrics and /healthz are answered; port 0 picks one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3001", value_parser = address)]
    admin: SocketAddr,
    /// Where compiled components are kept [default: .cumulet beside the manifest]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Build and load again when a file changes, without dropping a request
    #[arg(long)]
    watch: bool,
    /// An environment variable for every component; may be given more than once
    #[arg(long, value_name = "K=V")]
    env: Vec<EnvFlag>,
    /// What stands behind a granted store, such as keyvalue.default=redis://HOST:PORT; URL may be env:VARIABLE
    // Read by us: a refusal of clap's would print the address, and with it a password.
    #[arg(long, value_name = "KIND.NAME=URL")]
    bind: Vec<String>,
    /// Let the clocks of guests move in steps of this length only, such as 1ms
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    clock_step: Option<Duration>,
    /// Let components start without the grants that they need, and write what was asked for to FILE at the end
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "cumulet.observed.toml")]
    observe: Option<PathBuf>,
}

impl Up {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let mut target = Target::resolve(&self.target)?;
        require_route(&target)?;
        let bindings = bindings(&self.bind, &target)?;
        fetching::fetch(&mut target, terminal).await?;
        // From here on, so that what is edited during the first build is seen.
        let mut reload = if self.watch { Some(Reload::start(&self.target, &target, terminal)?) } else { None };
        making::build(&target, |_| true, terminal).await?;
        if let Some(reload) = &mut reload {
            reload.built(&target)?;
        }
        let reviewed = review::review(&target, Purpose::Serve)?;
        let refused = if self.observe.is_some() { review::refused_observed } else { review::refused };
        if let Some(failure) = refused(&target, &reviewed) {
            return Err(failure);
        }
        check::warnings(&target, &reviewed, terminal);
        log::start(terminal.voice())?;
        let serving = Serving::start(self.options(&target, bindings, terminal))?;
        serving.load(&target, terminal).await?;
        let mut signals = Signals::install()?;
        announce(&serving, &target, terminal);
        let stop = match reload {
            Some(reload) => tokio::select! {
                stop = signals.next() => stop,
                never = reload.follow(&serving) => match never {},
            },
            None => signals.next().await,
        };
        let asked = self.observe.as_ref().map(|file| (file, serving.asked()));
        let ended = end(serving, stop, &mut signals, terminal).await?;
        if let Some((file, asked)) = asked {
            observed::write(file, &target, &asked, terminal)?;
        }
        Ok(ended)
    }

    fn options(&self, target: &Target, bindings: Vec<Binding>, terminal: Terminal) -> serving::Options {
        serving::Options {
            listen: self.listen,
            admin: self.admin,
            data_dir: self.data_dir.clone().unwrap_or_else(|| target.base_dir.join(".cumulet")),
            env: self.env.iter().map(|flag| (flag.name.clone(), flag.value.clone())).collect(),
            bindings,
            observe: if self.observe.is_some() { Observe::Grants } else { Observe::Nothing },
            clock_step: self.clock_step,
            voice: terminal.voice(),
            deployed: None,
        }
    }
}

/// What the flags bind. A name that nobody is granted is a mistake: its data would go to another place than was meant.
fn bindings(flags: &[String], target: &Target) -> Result<Vec<Binding>, Box<Failure>> {
    let mut bindings: Vec<Binding> = Vec::new();
    for flag in flags {
        let place = flag.split_once('=').map_or("KIND.NAME", |(place, _address)| place);
        let refused = |why: &dyn std::error::Error| {
            Failure::new(Exit::USAGE, format!("cannot bind `{place}`")).because(why).next("see `cumulet up --help`")
        };
        let binding: Binding = flag.parse().map_err(|error: BindingError| refused(&error))?;
        let grants = |name: &String| *name == binding.name;
        let is_granted = target.manifest.components.values().any(|component| {
            let Some(names) = component.grants.store_names(binding.capability) else { return false };
            names.iter().any(grants)
        });
        if !is_granted {
            return Err(Failure::new(Exit::USAGE, format!("cannot bind `{binding}`"))
                .why("no component is granted a store of this name")
                .next(format!("correct the name, or grant it: {} = [{:?}]", binding.capability, binding.name)));
        }
        if bindings.iter().any(|other| other.to_string() == binding.to_string()) {
            return Err(Failure::new(Exit::USAGE, format!("`{binding}` is bound twice")).next("keep one of them"));
        }
        bindings.push(binding);
    }
    Ok(bindings)
}

/// Without a route nothing could ever be answered.
pub(super) fn require_route(target: &Target) -> Result<(), Box<Failure>> {
    let Some(file) = target.file.as_ref().filter(|_| target.manifest.http.is_empty()) else { return Ok(()) };
    Err(Failure::new(Exit::INVALID, "this manifest has nothing to serve")
        .at(&file.path)
        .why("no trigger leads to a component")
        .next("add [[trigger.http]] with a route and a component; a command is run with `cumulet run`"))
}

fn announce(serving: &Serving, target: &Target, terminal: Terminal) {
    if terminal.is_json() {
        terminal.json(&json!({ "event": "ready", "url": serving.url(), "admin": serving.admin_url() }));
        return;
    }
    if terminal.is_talkative() && terminal.is_interactive() {
        for line in summary::lines(&target.manifest) {
            terminal.aside(&line);
        }
        terminal.aside(&format!("admin   {}", serving.admin_url()));
    }
    terminal.data(&format!("ready {}", serving.url()));
}
