//! PostgreSQL, which wants a folder of its own to be made first, and does not run as root.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Where Debian keeps a folder for each version, outside the search path.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The folder with the programs, if there is one.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = versions.map(|version| version.path().join("bin")).chain(std::env::split_paths(&path));
    folders.find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// Makes the server's folder, and returns the command that starts it.
///
/// # Errors
/// When the folder cannot be made.
pub(crate) fn prepare(programs: &Path, folder: &Path, port: u16) -> anyhow::Result<Command> {
    let account = account()?;
    if let Some((user, group)) = account {
        chown(folder, Some(user), Some(group))?;
    }
    let data = folder.join("data");
    let made = command(&programs.join("initdb"), folder, account)
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
        .arg(&data)
        .output()?;
    ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let mut start = command(&programs.join("postgres"), folder, account);
    start.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=30", "-D"]).arg(&data);
    start.args(["-p", &port.to_string(), "-k"]).arg(folder);
    Ok(start)
}

fn command(program: &Path, folder: &Path, account: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

/// Whom the server runs as where we are root.
fn account() -> anyhow::Result<Option<(u32, u32)>> {
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    Ok(Some(find("postgres").or_else(|| find("nobody")).context("no account that is not root's")?))
}
