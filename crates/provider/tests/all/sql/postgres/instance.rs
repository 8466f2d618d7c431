//! A server of its own for one test.

use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cumulet_provider::postgres::{Limits, Server};
use tempfile::TempDir;

/// Far beyond what a server needs to start.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// A running server on a socket in a temporary folder. It ends with this.
pub(super) struct Instance {
    process: Child,
    folder: TempDir,
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Instance {
    /// `None` where PostgreSQL is not installed, which is then noted as left out.
    pub(super) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            leave_out("PostgreSQL tests", "no PostgreSQL server on this machine", "apt-get install postgresql");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let account = account();
        if let Some(account) = account {
            chown(folder.path(), Some(account.user), Some(account.group)).unwrap();
        }
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"), account)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(&data)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let process = command(&programs.join("postgres"), account)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=30", "-D"])
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { process, folder })
    }

    pub(super) fn url(&self) -> String {
        let host = self.folder.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres:secret-word@{host}/postgres")
    }

    /// The server once it answers.
    pub(super) async fn server(&self, limits: Limits) -> Arc<Server> {
        let server = Server::with(&self.url(), limits).unwrap();
        let mut last = None;
        let ready = async {
            while let Err(error) = server.connect().await {
                last = Some(error);
                tokio::time::sleep(PAUSE).await;
            }
        };
        let answered = tokio::time::timeout(PATIENCE, ready).await;
        assert!(answered.is_ok(), "the server does not answer: {last:?}");
        server
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // The children of the server notice when it is gone; what it leaves in shared memory, its system removes.
        let pid = self.process.id().to_string();
        let stopped = Command::new("kill").args(["-QUIT", &pid]).status();
        if !stopped.is_ok_and(|status| status.success()) {
            self.process.kill().unwrap();
        }
        self.process.wait().unwrap();
    }
}

/// Debian keeps them in a folder for each version, outside the search path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let searched: Vec<PathBuf> = folders.chain(std::env::split_paths(&path)).collect();
    searched.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

fn account() -> Option<Account> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
    if !root {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some(Account { user: numbers.next()?.parse().ok()?, group: numbers.next()?.parse().ok()? })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("an account that is not root's"))
}

fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = account {
        std::os::unix::process::CommandExt::uid(&mut command, account.user);
        std::os::unix::process::CommandExt::gid(&mut command, account.group);
    }
    command
}

/// One line in the file that `CUMULET_LEFT_OUT` names, or on standard error.
fn leave_out(name: &str, missing: &str, remedy: &str) {
    let line = format!("{name}\t{missing}\t{remedy}");
    match std::env::var_os("CUMULET_LEFT_OUT") {
        Some(file) => {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
            writeln!(file, "{line}").unwrap();
        }
        None => eprintln!("{line}"),
    }
}
