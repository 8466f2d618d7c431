//! A command of the binary that does its work and ends.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::output::Output;
use crate::paths;

/// How a command ended and what it printed.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output, one newline after each line.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

/// Runs `cumulet ARGUMENTS` with `input` on its standard input.
///
/// # Errors
/// When the binary is missing or does not end until patience does.
pub fn cumulet(arguments: &[impl AsRef<OsStr>], input: &[u8]) -> anyhow::Result<Finished> {
    let mut child = Command::new(paths::binary()?)
        .args(arguments)
        .env("NO_COLOR", "1")
        .current_dir(paths::repository())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdout = Output::collect(child.stdout.take().context("standard output is piped")?);
    let stderr = Output::collect(child.stderr.take().context("standard error is piped")?);
    let mut stdin = child.stdin.take().context("standard input is piped")?;
    // A command that does not read its input may end first.
    let _sent = stdin.write_all(input);
    drop(stdin);
    let (stdout, stderr) = match (stdout.to_the_end(), stderr.to_the_end()) {
        (Ok(stdout), Ok(stderr)) => (text(&stdout), text(&stderr)),
        (Err(error), _) | (_, Err(error)) => {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
    };
    Ok(Finished { code: child.wait()?.code(), stdout, stderr })
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
