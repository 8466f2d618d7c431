//! Tests that run in a process of their own: this binary again, with one test and settings in variables.

use std::env;
use std::process::{Command, Stdio};

/// A variable of this process.
#[expect(clippy::disallowed_methods, reason = "how long a test runs, and what a child is to do, is set from outside")]
pub(crate) fn setting(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// This binary, to run one of its tests, whose output the caller reads.
pub(crate) fn command(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}
