//! Schemathesis: requests made from a description in OpenAPI, by the hundred.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{find, note};

/// Where it was unpacked, below the folder of what it needs.
const PACKAGES: &str = ".packages";

/// What holds an API against its description.
#[derive(Clone, Debug)]
pub struct Schemathesis {
    python: PathBuf,
    packages: PathBuf,
}

impl Schemathesis {
    /// Finds it below a folder; `None` where something is missing.
    #[must_use]
    pub fn find(folder: &Path) -> Option<Self> {
        let packages = folder.join(PACKAGES);
        packages.join("schemathesis").is_dir().then_some(())?;
        Some(Self { python: find("python3")?, packages })
    }

    /// Notes that something was left out because it is not there.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn left_out(what: &str) -> anyhow::Result<()> {
        note(what, "no schemathesis", "cargo xtask setup")
    }

    /// The call of its command line, in a folder where it may leave what it likes.
    #[must_use]
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.packages.join("bin/st")).env("PYTHONPATH", &self.packages).env("PYTHONDONTWRITEBYTECODE", "1");
        command.current_dir(folder);
        command
    }
}
