//! The program that serves what was deployed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::report::Report;
use crate::settings::{Settings, own_program};

/// A program and what its arguments begin with.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Its file.
    pub(super) path: PathBuf,
    /// Its first arguments.
    pub(super) args: Vec<OsString>,
}

impl Program {
    /// `cumulet node`; where this cumulet has no such command, the same node inside this program, and a note that says so.
    pub(crate) fn find(settings: &Settings, report: &mut Report) -> Result<Self> {
        if let Ok(path) = settings.cumulet() {
            let mut help = Command::new(&path);
            help.args(["node", "--help"]).stdout(Stdio::null()).stderr(Stdio::null());
            if help.status().is_ok_and(|status| status.success()) {
                return Ok(Self { path, args: vec!["node".into()] });
            }
        }
        report.note("this cumulet has no command `node`: the bench's own program serves, with the same node inside");
        Ok(Self { path: own_program()?, args: vec!["serve-node".into()] })
    }
}
