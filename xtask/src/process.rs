//! Running other programs.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::environment;
use crate::stopwatch::Stopwatch;

/// How often a program with a time limit is asked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A cargo call in `folder`.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(environment::cargo());
    command.current_dir(folder).args(arguments);
    command
}

/// Runs to the end with our own input and output.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs to the end and returns what was printed on standard output; standard error is ours.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let result =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !result.status.success() {
        bail!("`{}` failed ({})", line(command), result.status);
    }
    String::from_utf8(result.stdout).with_context(|| format!("`{}` printed no UTF-8", line(command)))
}

/// Runs to the end without a sound and says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs for `limit` at most and ends the program when it is over; the error carries what it wrote
/// on standard error, up to 64 KiB.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> anyhow::Result<()> {
    let stopwatch = Stopwatch::start();
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    let complaint = child.stderr.take().map(|stderr| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            // What it says beyond the bound is dropped with the pipe.
            stderr.take(64 * 1024).read_to_end(&mut text).ok();
            String::from_utf8_lossy(&text).trim().to_owned()
        })
    });
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if stopwatch.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(POLL_INTERVAL);
    };
    let complaint = complaint.and_then(|thread| thread.join().ok()).unwrap_or_default();
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("`{}` failed ({status})\n{complaint}", line(command)),
        None => bail!("`{}` did not end within {} s\n{complaint}", line(command), limit.as_secs()),
    }
}

/// The command as one would type it, without quoting.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(command.get_program()).to_string_lossy()];
    words.extend(command.get_args().map(std::ffi::OsStr::to_string_lossy));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_complaint() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no luck >&2; exit 3"]);
        let error = run_within(&mut command, Duration::from_secs(60)).unwrap_err().to_string();
        assert!(error.contains("`sh -c") && error.contains("no luck"), "{error}");
    }

    #[test]
    fn a_program_past_its_limit_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let error = run_within(&mut command, Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("did not end"), "{error}");
    }
}
