//! A server of another project, for one test.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::future::Future;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Far beyond what any start takes: a server that does not come up fails the test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(20);
/// Another program may take the port between our look and the server's; then it is tried with another.
const STARTS_MAX: usize = 5;

/// A kind of server, and how to start one.
pub(crate) struct Kind {
    /// The program, which is also the name of the Debian package.
    pub(crate) program: &'static str,
    /// Its arguments for a port and a folder.
    pub(crate) arguments: fn(u16, &Path) -> Vec<String>,
}

pub(crate) const REDIS: Kind = Kind {
    program: "redis-server",
    arguments: |port, folder| {
        let (port, folder) = (port.to_string(), folder.display().to_string());
        ["--bind", "127.0.0.1", "--port", &port, "--dir", &folder, "--save", ""].map(str::to_owned).to_vec()
    },
};

pub(crate) const NATS: Kind = Kind {
    program: "nats-server",
    arguments: |port, folder| {
        let (port, folder) = (port.to_string(), folder.display().to_string());
        ["-js", "-a", "127.0.0.1", "-p", &port, "-sd", &folder].map(str::to_owned).to_vec()
    },
};

/// A running server with a folder of its own, killed when dropped.
pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    arguments: Vec<String>,
    pub(crate) port: u16,
    _folder: TempDir,
}

impl Server {
    /// Starts a server and connects to it; `None`, and a line where such are kept, when there is no such program.
    pub(crate) async fn start<C, E, F>(kind: &Kind, more: &[&str], connect: impl Fn(u16) -> F) -> Option<(Self, C)>
    where
        E: std::fmt::Display,
        F: Future<Output = Result<C, E>>,
    {
        let Some(program) = find(kind.program) else {
            leave_out(kind.program);
            return None;
        };
        for _ in 0..STARTS_MAX {
            let folder = tempfile::tempdir().unwrap();
            let port = free_port();
            let mut arguments = (kind.arguments)(port, folder.path());
            arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
            let child = spawn(&program, &arguments);
            let mut server = Self { child, program: program.clone(), arguments, port, _folder: folder };
            if let Some(connection) = server.ready(&connect).await {
                return Some((server, connection));
            }
        }
        panic!("{} ended each of {STARTS_MAX} times", kind.program);
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and folder.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.program, &self.arguments);
    }

    /// Connects until it works; `None` when the server has ended.
    async fn ready<C, E, F>(&mut self, connect: &impl Fn(u16) -> F) -> Option<C>
    where
        E: std::fmt::Display,
        F: Future<Output = Result<C, E>>,
    {
        let mut last = String::new();
        let attempts = async {
            loop {
                match connect(self.port).await {
                    Ok(connection) => return Some(connection),
                    Err(error) => last = error.to_string(),
                }
                if self.child.try_wait().unwrap().is_some() {
                    return None;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let ready = tokio::time::timeout(PATIENCE, attempts).await;
        ready.unwrap_or_else(|_| panic!("{} is not ready: {last}", self.program.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed by its test already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Tries until it succeeds.
pub(crate) async fn eventually<T, E: std::fmt::Debug, F>(attempt: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
{
    let mut last = String::new();
    let attempts = async {
        loop {
            match attempt().await {
                Ok(value) => return value,
                Err(error) => last = format!("{error:?}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let succeeded = tokio::time::timeout(PATIENCE, attempts).await;
    succeeded.unwrap_or_else(|_| panic!("it never succeeds: {last}"))
}

fn spawn(program: &Path, arguments: &[String]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian puts servers where the path of a plain user does not lead.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(OsStr::new(program))).find(|file| file.is_file())
}

fn leave_out(program: &str) {
    let line = format!("the key-value store on {program}\tno {program} on the PATH\tapt install {program}\n");
    match std::env::var_os("CUMULET_LEFT_OUT") {
        Some(file) => {
            let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        None => eprint!("left out: {line}"),
    }
}
