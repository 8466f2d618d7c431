//! `cumulet logs --follow`, and what it prints.

use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use crate::output::{Output, text};
use crate::paths;

/// A command that prints what comes, until it is dropped.
#[derive(Debug)]
pub struct Follower {
    child: Child,
    shown: Output,
}

impl Follower {
    /// Follows the log of an app from its newest entry on, as JSON.
    ///
    /// # Errors
    /// When the binary does not start.
    pub fn start(app: &str, more: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(paths::binary()?)
            .args(["logs", app, "--follow", "--json", "--limit", "1"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let shown = Output::collect(child.stdout.take().context("standard output is piped")?);
        Ok(Self { child, shown })
    }

    /// Waits until it printed that the request of this id ended well.
    ///
    /// # Errors
    /// When it never did.
    pub fn wait_for_end(&self, id: &str) -> anyhow::Result<()> {
        self.shown.wait_for(&format!("end of {id}"), |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (text(&event, "outcome") == Some("ok") && text(&event, "request_id") == Some(id)).then_some(())
        })
    }

    /// All lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.shown.lines()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}
