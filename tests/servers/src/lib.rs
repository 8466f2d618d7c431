//! Servers of other projects, started for tests and benches on free ports, and ended with them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

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
}

impl Kind {
    /// The program, which is also the name of the Debian package.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Nats => "nats-server",
        }
    }

    /// The scheme of its addresses.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Nats => "nats",
        }
    }

    fn arguments(self, port: u16, folder: &Path) -> Vec<String> {
        let (port, folder) = (port.to_string(), folder.display().to_string());
        let arguments = match self {
            Self::Redis => ["--bind", "127.0.0.1", "--port", &port, "--dir", &folder, "--save", ""].to_vec(),
            Self::Nats => ["-js", "-a", "127.0.0.1", "-p", &port, "-sd", &folder].to_vec(),
        };
        arguments.into_iter().map(str::to_owned).collect()
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
        let Some(program) = find(kind.program()) else { return Ok(None) };
        for _ in 0..STARTS_MAX {
            let folder = tempfile::tempdir()?;
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let mut command = Command::new(&program);
            command.args(kind.arguments(port, folder.path())).stdin(Stdio::null());
            let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let child = child.with_context(|| format!("cannot start {}", program.display()))?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let mut server = Self { child, kind, address, _folder: folder };
            if server.is_ready()? {
                return Ok(Some(server));
            }
        }
        bail!("{} ended each of {STARTS_MAX} times", kind.program())
    }

    /// Its address, as a binding takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.kind.scheme(), self.address)
    }

    /// Whether it takes connections; not when it has ended.
    fn is_ready(&mut self) -> anyhow::Result<bool> {
        for _ in 0..LOOKS_MAX {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(true);
            }
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            thread::sleep(LOOK);
        }
        bail!("{} does not take connections", self.kind.program())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian puts servers where the path of a plain user does not lead.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}
