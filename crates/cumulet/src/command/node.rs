//! `cumulet node`: serves what is deployed in a data folder, of many apps and many tenants, until a signal ends it.

mod config;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use cumulet_node::compiler::WorkerProgram;
use cumulet_node::descriptors::{Descriptors, raise_descriptors};
use cumulet_node::{DeployedOptions, Observe};
use serde_json::json;

use crate::command::Ended;
use crate::command::up::flag::address;
use crate::command::up::serving::{Options, Serving, Signals, end};
use crate::data_folder;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log;
use crate::terminal::Terminal;

/// Fewer descriptors than this are worth a remark.
const DESCRIPTORS_COMFORTABLE: u64 = 4_096;

/// Serve what is deployed: many apps of many tenants, of which most sleep
#[derive(Debug, Args)]
#[command(after_help = "\
Prints `ready http://HOST:PORT/` on standard output once it serves; with --json {\"event\":\"ready\",\"url\":…,\"admin\":…}. \
The first SIGINT or SIGTERM drains: nothing new is accepted, what runs is finished. The second ends it at once.

Flags go before the file. Without --data-dir and `data_dir` the folder is /var/lib/cumulet if that can be written, otherwise \
cumulet in $XDG_STATE_HOME or in ~/.local/state.

How many apps can be loaded at once depends on memory (`loaded` in [limit]), on open files (one for each compiled file: ulimit -n, \
whose soft limit is raised to the hard one) and on mappings (a few for each: sysctl vm.max_map_count). What is deployed beyond that \
sleeps on the disk. docs/guide/node.md describes the file.

Examples:
  cumulet node
  cumulet node --config /etc/cumulet/node.toml
  cumulet node --data-dir /srv/cumulet --listen 0.0.0.0:80 --domain apps.example.com --json")]
pub(crate) struct Node {
    /// The node's configuration: names, limits, tenants and their quotas
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept: what is deployed, compiled files, stores, the ledger
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where requests are answered; port 0 picks one [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Where the API, /metrics and /healthz are answered; port 0 picks one [default: 127.0.0.1:3001]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    admin: Option<SocketAddr>,
    /// Below which apps answer, as APP.TENANT.NAME [default: localhost]
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
}

impl Node {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let config = self.configured(terminal)?;
        let data_dir = match config.data_dir.clone() {
            Some(folder) => folder,
            None => data_folder::writable()?,
        };
        remark_descriptors(terminal);
        log::start(terminal.voice())?;
        let serving = Serving::start(Options {
            listen: config.listen,
            admin: config.admin,
            data_dir: data_dir.clone(),
            env: Vec::new(),
            bindings: Vec::new(),
            observe: Observe::Nothing,
            clock_step: None,
            voice: terminal.voice(),
            deployed: Some(DeployedOptions { config, compiler: Some(compiler()?) }),
        })?;
        let mut signals = Signals::install()?;
        if let Some(token) = serving.first_token() {
            terminal.note(&format!(
                "the first token, which may do everything here, is in {}; keep it to yourself",
                token.display()
            ));
        }
        announce(&serving, &data_dir, terminal);
        let stop = signals.next().await;
        end(serving, stop, &mut signals, terminal).await
    }
}

/// This program, which compiles when it is asked to.
pub(in crate::command) fn compiler() -> Result<WorkerProgram, Box<Failure>> {
    let path = std::env::current_exe().map_err(|error| {
        let failure = Failure::new(Exit::FAILED, "cannot find this program, which compiles in processes of its own");
        failure.because(&error).next("start it by its path, and leave the file where it is")
    })?;
    Ok(WorkerProgram { path, args: vec!["compile-worker".into()] })
}

fn remark_descriptors(terminal: Terminal) {
    let Descriptors { soft, hard } = raise_descriptors();
    if soft < DESCRIPTORS_COMFORTABLE {
        terminal.note(&format!(
            "{soft} files may be open at once (hard limit {hard}), one for each loaded app and connection: raise the hard one (ulimit -Hn)"
        ));
    }
}

fn announce(serving: &Serving, data_dir: &Path, terminal: Terminal) {
    if terminal.is_json() {
        let mut ready = json!({ "event": "ready", "url": serving.url(), "admin": serving.admin_url() });
        if let (Some(url), Some(ready)) = (serving.tls_url(), ready.as_object_mut()) {
            ready.insert("tls".to_owned(), json!(url));
        }
        terminal.json(&ready);
        return;
    }
    if terminal.is_talkative() && terminal.is_interactive() {
        terminal.aside(&format!("data    {}", data_dir.display()));
        terminal.aside(&format!("admin   {}", serving.admin_url()));
        if let Some(url) = serving.tls_url() {
            terminal.aside(&format!("tls     {url}"));
        }
    }
    terminal.data(&format!("ready {}", serving.url()));
}
