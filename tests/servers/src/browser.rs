//! Chromium, driven from JavaScript by playwright-core.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{find, note};

/// Where playwright-core was unpacked, below the folder of the tests.
const PLAYWRIGHT: &str = "node_modules/playwright-core/package.json";

/// What tests in a browser need.
#[derive(Clone, Debug)]
pub struct Browser {
    node: PathBuf,
    chromium: PathBuf,
}

impl Browser {
    /// Finds it for the tests in a folder; `None` where something is missing.
    #[must_use]
    pub fn find(tests: &Path) -> Option<Self> {
        tests.join(PLAYWRIGHT).is_file().then_some(())?;
        Some(Self { node: find("node")?, chromium: find("chromium")? })
    }

    /// Notes that something was left out because it is not there.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn left_out(what: &str) -> anyhow::Result<()> {
        note(what, "no chromium, nodejs or playwright-core", "cargo xtask setup")
    }

    /// The call that runs the tests in a folder, one after the other.
    #[must_use]
    pub fn tests(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.node);
        command.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).current_dir(folder);
        command.env("CUMULET_CHROMIUM", &self.chromium);
        command
    }
}
