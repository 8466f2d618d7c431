//! A running `cumulet up` or `cumulet node`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::http1::{Connection, Reply};
use crate::output::{self, Output};
use crate::paths;

/// How long a server may take to be ready: unoptimised, it compiles an interpreter for most of a minute on a busy machine.
const STARTING: Duration = Duration::from_secs(300);

/// A server of its own for one scenario, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where requests are served.
    pub address: SocketAddr,
    /// Where metrics and health are served.
    pub admin: SocketAddr,
    /// Its standard output.
    pub stdout: Output,
    /// Its standard error.
    pub stderr: Output,
    _data: Option<TempDir>,
}

impl Server {
    /// Serves the app `file` of `tests/data/apps`.
    ///
    /// # Errors
    /// When a guest or the binary is missing, or the server does not get ready.
    pub fn app(file: &str) -> anyhow::Result<Self> {
        Self::up(&paths::app(file)?, &[])
    }

    /// Serves `target` with further `options`, on ports and in a data folder of its own.
    ///
    /// # Errors
    /// When the binary is missing or the server does not get ready; the message holds what it printed.
    pub fn up(target: &Path, options: &[&str]) -> anyhow::Result<Self> {
        Self::up_where(target, options, &[])
    }

    /// The same, with variables in the server's own environment.
    ///
    /// # Errors
    /// As for [`up`](Self::up).
    pub fn up_where(target: &Path, options: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let path = data.path().to_owned();
        let mut server = Self::up_in(&path, target, options, environment)?;
        server._data = Some(data);
        Ok(server)
    }

    /// The same, in a data folder that stays when the server is gone.
    ///
    /// # Errors
    /// As for [`up`](Self::up).
    pub fn up_in(data: &Path, target: &Path, options: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut command = Command::new(paths::binary()?);
        command.arg("up").arg(target).args(options).envs(environment.iter().copied());
        Self::start(data, command)
    }

    /// Serves what is deployed in a data folder, as its configuration says.
    ///
    /// # Errors
    /// As for [`up`](Self::up).
    pub fn node_in(data: &Path, config: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(paths::binary()?);
        command.arg("node").arg("--config").arg(config);
        Self::start(data, command)
    }

    fn start(data: &Path, mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json", "--data-dir"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = Output::collect(child.stdout.take().context("standard output is piped")?);
        let stderr = Output::collect(child.stderr.take().context("standard error is piped")?);
        match ready(&stdout) {
            Ok((address, admin)) => Ok(Self { child, address, admin, stdout, stderr, _data: None }),
            Err(error) => {
                // It may be up and silent: nothing shall outlive the scenario.
                child.kill()?;
                child.wait()?;
                bail!("{error:#}\nstandard error:\n{}", stderr.to_the_end()?.join("\n"))
            }
        }
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A new connection to the server.
    ///
    /// # Errors
    /// When it is refused.
    pub fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address)
    }

    /// Sends a GET for `path` with further header lines on a connection of its own.
    ///
    /// # Errors
    /// When no response comes.
    pub fn get(&self, path: &str, headers: &[&str]) -> anyhow::Result<Reply> {
        let mut connection = self.connect()?;
        connection.request("GET", path, headers)?;
        connection.reply("GET")
    }

    /// Sends a GET for `path` to the admin listener.
    ///
    /// # Errors
    /// When no response comes.
    pub fn admin(&self, path: &str) -> anyhow::Result<Reply> {
        let mut connection = Connection::open(self.admin)?;
        connection.request_to(&self.admin.to_string(), ("GET", path), &[])?;
        connection.reply("GET")
    }

    /// Where the operator asks.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Waits for the event that tells how the invocation of request `id` ended.
    ///
    /// # Errors
    /// When none comes.
    pub fn invocation(&self, id: &str) -> anyhow::Result<Value> {
        self.stderr.wait_for(&format!("event with an outcome for request {id}"), |line| {
            output::event(line).filter(|event| {
                output::text(event, "event") == Some("invocation") && output::text(event, "request_id") == Some(id)
            })
        })
    }

    /// Waits for the outcome of request `id`.
    ///
    /// # Errors
    /// When no event tells it.
    pub fn outcome(&self, id: &str) -> anyhow::Result<String> {
        let event = self.invocation(id)?;
        Ok(output::text(&event, "outcome").context("it has an outcome")?.to_owned())
    }

    /// Sends SIGTERM.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn terminate(&self) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(id.context("a process has an id")?, Signal::TERM)?)
    }

    /// Ends the server at once, in the middle of whatever it does.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn kill_now(&self) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(id.context("a process has an id")?, Signal::KILL)?)
    }

    /// Waits for the end, which has to come by itself.
    ///
    /// # Errors
    /// When it does not end.
    pub fn wait(mut self) -> anyhow::Result<ExitStatus> {
        // Its streams end with it, and that wait has a bound.
        self.stderr.to_the_end()?;
        self.stdout.to_the_end()?;
        Ok(self.child.wait()?)
    }

    /// Stops the server as an operator does and checks that it drained cleanly.
    ///
    /// # Errors
    /// When its exit code is not 0.
    pub fn stop(self) -> anyhow::Result<()> {
        let stderr = self.stderr.clone();
        self.terminate()?;
        let status = self.wait()?;
        ensure!(status.success(), "{status} after SIGTERM; standard error:\n{}", stderr.lines().join("\n"));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it ended already.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The addresses on the line that says `ready`.
fn ready(stdout: &Output) -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let event = stdout.wait_within(STARTING, "ready line", |line| {
        output::event(line).filter(|event| output::text(event, "event") == Some("ready"))
    })?;
    let address = |field| -> anyhow::Result<SocketAddr> {
        let url = output::text(&event, field).with_context(|| format!("no {field} in {event}"))?;
        let authority = url.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/');
        authority.parse().with_context(|| format!("{field} is {url}"))
    };
    Ok((address("url")?, address("admin")?))
}
