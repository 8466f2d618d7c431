//! Chromium, driven from JavaScript by playwright-core, and what makes pages for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{find, note};

/// Where playwright-core was unpacked, below the folder of the tests.
const PLAYWRIGHT: &str = "node_modules/playwright-core/package.json";
/// Where jco and its like were unpacked, below the root of the repository.
const JCO: &str = "tests/jco/node_modules/.bin";

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

    /// The call that runs the tests in these files of a folder, one after the other.
    #[must_use]
    pub fn tests(&self, folder: &Path, files: &[&str]) -> Command {
        let mut command = Command::new(&self.node);
        command.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).args(files).current_dir(folder);
        command.env("CUMULET_CHROMIUM", &self.chromium);
        command
    }
}

/// The tool that transpiles components for a browser.
#[derive(Clone, Debug)]
pub struct Jco {
    path: String,
}

impl Jco {
    /// Finds what `cargo xtask setup` unpacked; `None` where something is missing.
    #[must_use]
    pub fn find(repository: &Path) -> Option<Self> {
        let folder = repository.join(JCO).canonicalize().ok()?;
        find("node").filter(|_| folder.join("jco").is_file())?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        Some(Self { path: format!("{}:{}", folder.display(), path.display()) })
    }

    /// Notes that something was left out because it is not there.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn left_out(what: &str) -> anyhow::Result<()> {
        note(what, "no nodejs or jco", "cargo xtask setup")
    }

    /// A search path on which it is found.
    #[must_use]
    pub fn search_path(&self) -> &str {
        &self.path
    }
}
