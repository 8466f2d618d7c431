//! A server under test: a child process on cores of its own, whose processor time and memory can be read.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::clock;
use crate::cores::Cores;
use crate::wire::{Connection, request};

/// The longest that a server may take until it answers; wasm may have to be compiled first.
const START_MAX: Duration = Duration::from_secs(180);
/// How long its first answer may take, once it listens.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How often a starting server is asked.
const START_POLL: Duration = Duration::from_millis(1);
/// Lines of a log that are shown after a failure.
const COMPLAINTS_MAX: usize = 5;
/// Stands for the address in [`Launch::args`].
pub(crate) const LISTEN: &str = "{listen}";

/// How to start a server.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// Its name in tables.
    pub(crate) name: String,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments; [`LISTEN`] is replaced by the address.
    pub(crate) args: Vec<OsString>,
    /// What the server prints once it is ready; without it, it is ready as soon as it answers.
    pub(crate) ready: Option<&'static str>,
}

impl Launch {
    /// A server that is ready as soon as it answers.
    pub(crate) fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), program: program.into(), args: Vec::new(), ready: None }
    }

    /// Adds arguments.
    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Starts it on `cores`, with what it prints in a file under `logs`, and waits until it answers.
    pub(crate) fn start(&self, cores: &Cores, logs: &Path) -> Result<Server> {
        fs::create_dir_all(logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).context("no free port")?;
        let path = logs.join(format!("{}.log", self.name.replace([' ', '/'], "-")));
        drop(File::create(&path).with_context(|| format!("cannot write {}", path.display()))?);
        let log = OpenOptions::new().append(true).open(&path).context("cannot reopen the log")?;
        let mut command = Command::new(&self.program);
        for arg in &self.args {
            match arg.to_str() {
                Some(text) => command.arg(text.replace(LISTEN, &address.to_string())),
                None => command.arg(arg),
            };
        }
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE").env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        let began = clock::now();
        let child =
            cores.run(|| command.spawn())?.with_context(|| format!("cannot start {}", self.program.display()))?;
        let mut server =
            Server { name: self.name.clone(), child, address, log, log_path: path, started: Duration::ZERO };
        server.wait(self.ready)?;
        server.started = began.elapsed();
        Ok(server)
    }
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its name in tables.
    pub(crate) name: String,
    /// Where it answers.
    pub(crate) address: SocketAddr,
    /// From starting the process to its first answer; for components that includes compiling where nothing is cached.
    pub(crate) started: Duration,
    child: Child,
    log: File,
    log_path: PathBuf,
}

impl Server {
    fn wait(&mut self, ready: Option<&str>) -> Result<()> {
        let deadline = clock::now() + START_MAX;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before it answered; see {}", self.name, self.log_path.display());
            }
            let said =
                ready.is_none_or(|ready| fs::read_to_string(&self.log_path).is_ok_and(|log| log.contains(ready)));
            if said && self.answers() {
                return Ok(());
            }
            if clock::now() > deadline {
                bail!("{} did not answer in {START_MAX:?}; see {}", self.name, self.log_path.display());
            }
            thread::sleep(START_POLL);
        }
    }

    fn answers(&self) -> bool {
        let connection = Connection::open(self.address);
        connection.and_then(|mut open| open.exchange(&request("GET", "/", &[]), ANSWER_MAX)).is_ok()
    }

    /// User and system time of the process and its descendants so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let ticks = tree_ticks(self.child.id())?;
        #[expect(clippy::cast_precision_loss, reason = "ticks of one run are far below 2^52")]
        let seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        Ok(seconds)
    }

    /// Page faults of the process so far that needed no disk.
    pub(crate) fn page_faults(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).context("the server is gone")?;
        parse_faults(&stat).context("the kernel does not say how many page faults there were")
    }

    /// The most memory that the process has held, in MiB.
    pub(crate) fn peak_mib(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the process where it stands, so that it takes nothing from the one being measured.
    pub(crate) fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Empties the file that the server writes its events to.
    pub(crate) fn empty_log(&self) -> Result<()> {
        self.log.set_len(0).context("cannot empty the log")
    }

    /// Where what the server prints goes.
    pub(crate) fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// What of its log is worth reading after a failure: not the invocations that ended well.
    pub(crate) fn complaints(&self) -> String {
        let log = fs::read(&self.log_path).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines = text.lines().filter(|line| !line.contains(r#""outcome":"ok""#));
        let last: Vec<&str> = lines.rev().take(COMPLAINTS_MAX).collect();
        if last.is_empty() {
            return "its log has no complaint".to_owned();
        }
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, signal).with_context(|| format!("cannot signal {}", self.name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What `/proc/PID/stat` says: the parent, and user, system and waited-for children's ticks together.
fn parse_stat(text: &str) -> Option<(u32, u64)> {
    // The name in brackets may hold spaces and brackets itself.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>()).sum::<Result<u64, _>>().ok()?;
    Some((parent, ticks))
}

/// The minor page faults in `/proc/PID/stat`.
fn parse_faults(text: &str) -> Option<f64> {
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(7)?.parse().ok()
}

fn tree_ticks(root: u32) -> Result<u64> {
    let own = fs::read_to_string(format!("/proc/{root}/stat")).ok().and_then(|text| parse_stat(&text));
    let (_, mut sum) = own.with_context(|| format!("process {root} is gone"))?;
    let mut others: Vec<(u32, u32, u64)> = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot list /proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).ok().and_then(|text| parse_stat(&text));
        others.extend(stat.map(|(parent, ticks)| (pid, parent, ticks)));
    }
    let mut family = vec![root];
    while let Some(parent) = family.pop() {
        for (pid, _, ticks) in others.iter().filter(|(_, of, _)| *of == parent) {
            sum += ticks;
            family.push(*pid);
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines() {
        let line = "42 (a (b) c) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 3 4 20 0 1 0 100 0 0";
        assert_eq!(parse_stat(line), Some((7, 40)));
        assert_eq!(parse_faults(line), Some(100.0));
        assert_eq!(parse_stat("42 (x) S 7"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn own_time_can_be_read() {
        assert!(tree_ticks(std::process::id()).is_ok());
    }
}
