//! What a bench was measured on, and how quiet that was.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::cores::Cores;

/// The machine and the build, as they stand in every table and JSON file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// The kernel's release.
    pub(crate) kernel: String,
    /// The processor's name.
    pub(crate) processor: String,
    /// Cores that the bench may use.
    pub(crate) cores: usize,
    /// `release` or `debug`, and the compiler flags from outside.
    pub(crate) flags: String,
    /// The commit, with `+` where files differ from it.
    pub(crate) commit: String,
}

impl Machine {
    /// Looks at this machine; what cannot be read is `unknown`.
    pub(crate) fn look(root: &Path) -> Self {
        let processor = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or_else(|| "unknown".into(), |name| name.trim_start_matches([' ', '\t', ':']).to_string());
        let flags = option_env!("RUSTFLAGS").unwrap_or("none");
        Self {
            kernel: read("/proc/sys/kernel/osrelease").trim().to_string(),
            processor,
            cores: Cores::allowed().map_or(0, |cores| cores.count()),
            flags: format!("{} build, RUSTFLAGS {flags}", if cfg!(debug_assertions) { "debug" } else { "release" }),
            commit: commit(root),
        }
    }
}

fn commit(root: &Path) -> String {
    let git = |args: &[&str]| {
        let out = Command::new("git").arg("-C").arg(root).args(args).output().ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_string())
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".into() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|list| !list.is_empty());
    format!("{head}{}", if changed { "+" } else { "" })
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|_| "unknown".into())
}

/// How busy the machine was with other work around a bench.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Quiet {
    /// Load averages over 1, 5 and 15 minutes, and more, as the kernel prints them.
    pub(crate) load: String,
    /// `/proc/pressure/cpu`, its first line.
    pub(crate) pressure: String,
}

impl Quiet {
    /// Reads both now.
    pub(crate) fn read() -> Self {
        let pressure = read("/proc/pressure/cpu");
        Self {
            load: read("/proc/loadavg").trim().to_string(),
            pressure: pressure.lines().next().unwrap_or("unknown").to_string(),
        }
    }

    /// The share of the last ten seconds in which some task waited for a core, in percent.
    pub(crate) fn waiting_percent(&self) -> Option<f64> {
        self.pressure.split_whitespace().find_map(|part| part.strip_prefix("avg10="))?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_read() {
        let quiet = |pressure: &str| Quiet { load: String::new(), pressure: pressure.into() };
        assert_eq!(quiet("some avg10=12.30 avg60=54.39 avg300=49.87 total=2").waiting_percent(), Some(12.3));
        assert_eq!(quiet("unknown").waiting_percent(), None);
    }
}
