//! Servers of other projects, started for tests and benches on free ports, and ended with them.

mod browser;
mod contract;
mod pebble;
mod postgres;
mod registry;
mod toolchain;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

pub use browser::{Browser, Jco};
pub use contract::Schemathesis;
pub use pebble::{Pebble, PebbleSettings};
pub use registry::{REGISTRY_PASSWORD, REGISTRY_USER};
pub use toolchain::Toolchain;

/// The variable that names the file where tests note what they left out.
const LEFT_OUT: &str = "CUMULET_LEFT_OUT";
/// Looks at a starting server until it takes connections, and the time between two looks.
const LOOKS_MAX: u32 = 1_500;
/// See [`LOOKS_MAX`].
const LOOK: Duration = Duration::from_millis(20);
/// Another program may take the port between our look and the server's; then it is tried with another.
const STARTS_MAX: usize = 5;

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Redis, without anything on disk.
    Redis,
    /// NATS with JetStream.
    Nats,
    /// PostgreSQL with a user `postgres` who needs no password.
    Postgres,
    /// An OCI registry that lets everybody in.
    Registry,
    /// An OCI registry that lets in [`REGISTRY_USER`] with [`REGISTRY_PASSWORD`].
    ProtectedRegistry,
}

impl Kind {
    /// The Debian package that brings it.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Nats => "nats-server",
            Self::Postgres => "postgresql",
            Self::Registry | Self::ProtectedRegistry => "docker-registry",
        }
    }

    /// Notes that something was left out because this server is not there.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn left_out(self, what: &str) -> anyhow::Result<()> {
        left_out(what, self.package())
    }

    /// The scheme of its addresses.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Nats => "nats",
            Self::Postgres => "postgres",
            Self::Registry | Self::ProtectedRegistry => "http",
        }
    }

    /// The command that starts it in `folder`; `None` where it is not installed.
    fn command(self, port: u16, folder: &Path) -> anyhow::Result<Option<Command>> {
        let number = port.to_string();
        let started = |program: &str, arguments: &[&str], last: &str| {
            let mut command = Command::new(find(program)?);
            command.args(arguments).arg(last).arg(folder);
            Some(command)
        };
        match self {
            Self::Redis => {
                Ok(started("redis-server", &["--bind", "127.0.0.1", "--port", &number, "--save", ""], "--dir"))
            }
            Self::Nats => Ok(started("nats-server", &["-js", "-a", "127.0.0.1", "-p", &number], "-sd")),
            Self::Postgres => {
                postgres::programs().map(|programs| postgres::prepare(&programs, folder, port)).transpose()
            }
            Self::Registry | Self::ProtectedRegistry => {
                let protected = self == Self::ProtectedRegistry;
                let prepare = |program: PathBuf| registry::prepare(&program, folder, port, protected);
                find("docker-registry").map(prepare).transpose()
            }
        }
    }
}

/// A running server with a folder of its own, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    kind: Kind,
    address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    /// Starts a server and waits until it takes connections; `None` where there is no such program.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(kind: Kind) -> anyhow::Result<Option<Self>> {
        for _ in 0..STARTS_MAX {
            let folder = tempfile::tempdir()?;
            let port = free_port()?;
            let Some(mut command) = kind.command(port, folder.path())? else { return Ok(None) };
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let mut server = Self { child, kind, address, _folder: folder };
            if server.is_ready()? {
                return Ok(Some(server));
            }
        }
        bail!("{} ended each of {STARTS_MAX} times", kind.package())
    }

    /// Its address, as a binding takes it.
    #[must_use]
    pub fn url(&self) -> String {
        match self.kind {
            Kind::Redis | Kind::Nats | Kind::Registry | Kind::ProtectedRegistry => {
                format!("{}://{}", self.kind.scheme(), self.address)
            }
            Kind::Postgres => format!("postgres://postgres@{}/postgres", self.address),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it takes connections; not when it has ended.
    fn is_ready(&mut self) -> anyhow::Result<bool> {
        takes_connections(&mut self.child, self.address, self.kind.package())
    }
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether a server takes connections; not when it has ended.
fn takes_connections(child: &mut Child, address: SocketAddr, package: &str) -> anyhow::Result<bool> {
    for _ in 0..LOOKS_MAX {
        if TcpStream::connect(address).is_ok() {
            return Ok(true);
        }
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        thread::sleep(LOOK);
    }
    bail!("{package} does not take connections")
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Notes that something was left out for lack of a package.
fn left_out(what: &str, package: &str) -> anyhow::Result<()> {
    note(what, &format!("no {package}"), &format!("apt install {package}"))
}

/// Notes that something was left out, and what would help.
fn note(what: &str, missing: &str, remedy: &str) -> anyhow::Result<()> {
    let line = format!("{what}\t{missing}\t{remedy}\n");
    let Some(file) = std::env::var_os(LEFT_OUT) else {
        std::io::stderr().write_all(line.as_bytes())?;
        return Ok(());
    };
    Ok(OpenOptions::new().append(true).create(true).open(file)?.write_all(line.as_bytes())?)
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian puts servers where the path of a plain user does not lead.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}
