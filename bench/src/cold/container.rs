//! A native server in a container of its own, started by an OCI runtime.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{process, thread};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clock;
use crate::cores::Cores;
use crate::fleet::{Disk, Memory, get};
use crate::settings::own_program;
use crate::wire::Connection;

/// The longest that a container may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How often a starting container is asked.
const START_POLL: Duration = Duration::from_micros(200);

/// A file system with one program in it, and the libraries that it needs.
#[derive(Debug)]
pub(super) struct Image {
    folder: TempDir,
    /// Bytes on the disk.
    pub(super) bytes: u64,
}

/// What one start gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// From starting the runtime to the answer.
    pub(super) answered: Duration,
    /// Memory of the process inside.
    pub(super) memory: Memory,
}

/// A running container. Dropping it removes it.
struct Container<'c> {
    runtime: &'c str,
    name: String,
    child: Child,
}

#[derive(Deserialize)]
struct State {
    pid: u32,
}

impl Image {
    /// Puts this program, which is a native server as well, into a file system of its own.
    pub(super) fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for an image")?;
        let root = folder.path().join("rootfs");
        let program = own_program()?;
        copy(&program, &root.join("bin/server"))?;
        let out = Command::new("ldd").arg(&program).output().context("cannot run ldd")?;
        for library in String::from_utf8_lossy(&out.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
            copy(Path::new(library), &root.join(library.trim_start_matches('/')))?;
        }
        for empty in ["proc", "dev"] {
            fs::create_dir_all(root.join(empty))?;
        }
        let bytes = Disk::of(&root)?.bytes;
        Ok(Self { folder, bytes })
    }

    /// Starts a container, waits for its answer, and removes it.
    pub(super) fn start(&self, runtime: &str, cores: &Cores, log: &Path) -> Result<Start> {
        let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr())?;
        fs::write(self.folder.path().join("config.json"), config(address).to_string())
            .context("cannot write the bundle")?;
        let name = format!("cumulet-bench-{}", process::id());
        let said = log;
        let log = File::create(said).with_context(|| format!("cannot write {}", said.display()))?;
        let mut command = Command::new(runtime);
        command.arg("run").arg("--bundle").arg(self.folder.path()).arg(&name);
        command.env_remove("RUST_BACKTRACE").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let began = clock::now();
        let child = cores.run(|| command.spawn())?.with_context(|| format!("cannot start {runtime}"))?;
        let mut container = Container { runtime, name, child };
        let mut connection = loop {
            if let Ok(connection) = Connection::open(address) {
                break connection;
            }
            if let Some(status) = container.child.try_wait()? {
                let said = fs::read_to_string(said).unwrap_or_default();
                bail!("{status}: {}", said.lines().next().unwrap_or("it says nothing"));
            }
            ensure!(began.elapsed() < ANSWER_MAX, "the container does not answer");
            thread::sleep(START_POLL);
        };
        let reply = connection.exchange(&get("localhost", "/"), ANSWER_MAX).context("the container does not answer")?;
        let answered = began.elapsed();
        ensure!(reply.status == 200 && reply.body == b"Hello, world!\n", "the container answered {}", reply.status);
        Ok(Start { answered, memory: Memory::of(container.pid()?)? })
    }
}

impl Container<'_> {
    fn pid(&self) -> Result<u32> {
        let out =
            Command::new(self.runtime).arg("state").arg(&self.name).output().context("cannot ask for the state")?;
        let state: State = serde_json::from_slice(&out.stdout).context("the container has no state")?;
        Ok(state.pid)
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let mut delete = Command::new(self.runtime);
        delete.args(["delete", "--force", &self.name]).stdout(Stdio::null()).stderr(Stdio::null());
        // Nothing is left to remove where it never started.
        drop(delete.status());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn copy(from: &Path, to: &PathBuf) -> Result<()> {
    let folder = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// What makes a container of it: file system, processes and names of its own; the network is the host's, as making
/// one would take longer still.
fn config(address: SocketAddr) -> Value {
    let namespaces: Vec<Value> = ["pid", "ipc", "uts", "mount"].iter().map(|kind| json!({ "type": kind })).collect();
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": ["/bin/server", "serve-hyper", "--listen", address.to_string()],
            "env": ["PATH=/bin"],
            "cwd": "/",
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "bench",
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"] },
        ],
        "linux": { "namespaces": namespaces },
    })
}
