//! A node as a process of its own, which serves what was deployed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::memory::Memory;
use super::program::Program;
use crate::clock;
use crate::cores::Cores;
use crate::wire::{Connection, Reply};

/// The longest that a node's answer about itself may take.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// The longest that a drain may take.
const DRAIN_MAX: Duration = Duration::from_secs(60);
/// How often a drain is looked at.
const DRAIN_POLL: Duration = Duration::from_millis(2);

/// How a node is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeLaunch<'n> {
    /// Its program.
    pub(crate) program: &'n Program,
    /// Its data folder.
    pub(crate) data: &'n Path,
    /// The text of its configuration after the version; it may be empty.
    pub(crate) config: &'n str,
    /// Where it runs.
    pub(crate) cores: &'n Cores,
    /// Where its events go.
    pub(crate) log: &'n Path,
}

/// The figures of `/metrics`, by name and labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

/// A running node. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct NodeProcess {
    /// Where requests are answered.
    pub(crate) address: SocketAddr,
    /// When its process was started.
    pub(crate) began: Instant,
    /// From starting the process to the line that says that it serves.
    pub(crate) ready: Duration,
    admin: SocketAddr,
    child: Child,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
    admin: String,
}

impl NodeProcess {
    /// Starts it and waits until it says that it serves.
    pub(crate) fn start(launch: &NodeLaunch<'_>) -> Result<Self> {
        if let Some(folder) = launch.log.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let config = launch.log.with_extension("toml");
        fs::write(&config, format!("node = 1\n{}", launch.config)).context("cannot write the configuration")?;
        let log = File::create(launch.log).with_context(|| format!("cannot write {}", launch.log.display()))?;
        let mut command = Command::new(&launch.program.path);
        command.arg("node").arg("--config").arg(&config).arg("--data-dir").arg(launch.data);
        command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json"]);
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE").env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let began = clock::now();
        let mut child = launch.cores.run(|| command.spawn())?.context("cannot start the node")?;
        let out = child.stdout.take().context("the node has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).context("cannot read what the node says")?;
        let ready = began.elapsed();
        let Ok(said) = serde_json::from_str::<Ready>(&line) else {
            // It has ended, or says what nobody here understands.
            drop(child.kill());
            drop(child.wait());
            bail!("the node did not get ready; see {}", launch.log.display());
        };
        let address = |url: &str| url.trim_start_matches("http://").trim_end_matches('/').parse::<SocketAddr>();
        Ok(Self { address: address(&said.url)?, admin: address(&said.admin)?, began, ready, child })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        Memory::of(self.child.id())
    }

    /// A connection to its admin listener.
    pub(crate) fn connect_admin(&self) -> Result<Connection> {
        Connection::open(self.admin).context("cannot connect to the node's admin")
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::open(self.address).context("cannot connect to the node")
    }

    /// What it says of itself.
    pub(crate) fn metrics(&self) -> Result<Metrics> {
        let mut connection = self.connect_admin()?;
        let reply = connection.exchange(&get("localhost", "/metrics"), ANSWER_MAX).context("no metrics")?;
        ensure!(reply.status == 200, "/metrics was answered with {}", reply.status);
        Ok(Metrics::parse(&String::from_utf8_lossy(&reply.body)))
    }

    /// Lets it finish what it does, and waits for its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, Signal::TERM).context("cannot signal the node")?;
        let deadline = clock::now() + DRAIN_MAX;
        while self.child.try_wait()?.is_none() {
            ensure!(clock::now() < deadline, "the node did not drain in {DRAIN_MAX:?}");
            thread::sleep(DRAIN_POLL);
        }
        Ok(())
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Metrics {
    fn parse(text: &str) -> Self {
        let row = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect())
    }

    /// A figure without labels; nothing where there is none.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// A step of loading apps, in seconds over all apps.
    pub(crate) fn phase(&self, phase: &str) -> Option<f64> {
        self.get(&format!("cumulet_cold_start_seconds_total{{phase=\"{phase}\"}}"))
    }
}

/// The bytes of a GET request to a host.
pub(crate) fn get(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
}

impl NodeProcess {
    /// Fails unless a reply is the one that is expected.
    pub(crate) fn check(host: &str, reply: &Reply, expect: &[u8]) -> Result<()> {
        let body =
            || String::from_utf8_lossy(reply.body.get(..reply.body.len().min(200)).unwrap_or_default()).into_owned();
        ensure!(reply.status == 200 && reply.body == expect, "{host} answered {}: {}", reply.status, body());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_with_their_labels() {
        let metrics = Metrics::parse(
            "# HELP a b\na 3\ncumulet_cold_start_seconds_total{phase=\"map\"} 0.5\ncumulet_requests_total{app=\"\"} 1\n",
        );
        assert_eq!((metrics.get("a"), metrics.phase("map"), metrics.get("b")), (Some(3.0), Some(0.5), None));
    }
}
