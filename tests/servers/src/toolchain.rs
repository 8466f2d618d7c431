//! The tools that projects of the templates are built with, as `cargo xtask setup` unpacked them.

use std::path::{Path, PathBuf};

use crate::{find, note};

/// Where they were unpacked, below the root of the repository.
const UNPACKED: &str = "target/templates";
/// What npm writes when it is done.
const NPM_DONE: &str = "node_modules/.package-lock.json";

/// What one template needs.
#[derive(Debug)]
pub struct Toolchain {
    environment: Vec<(String, String)>,
    shelves: Vec<(&'static str, PathBuf)>,
}

impl Toolchain {
    /// Finds the tools of a template; `None` where something is missing.
    #[must_use]
    pub fn find(repository: &Path, template: &str) -> Option<Self> {
        let unpacked = repository.join(UNPACKED);
        let shelved =
            |folder: &'static str, shelf: PathBuf| Self { environment: Vec::new(), shelves: vec![(folder, shelf)] };
        match template.split('-').next()? {
            "rust" => Some(shelved("target", unpacked.join("rust"))),
            "js" | "ts" => {
                find("npm").and(find("node"))?;
                let folder = unpacked.join("node");
                folder.join(NPM_DONE).is_file().then(|| shelved("node_modules", folder.join("node_modules")))
            }
            "python" => Self::from_pip(&unpacked, "componentize-py"),
            _ => None,
        }
    }

    /// Notes that something was left out because they are not there.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn left_out(what: &str) -> anyhow::Result<()> {
        note(what, "not all of its tools", "cargo xtask setup")
    }

    /// What is to be set when they run.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// What a project finds in a folder of its own, and projects of tests share: the folder's name, and where it lies.
    #[must_use]
    pub fn shelves(&self) -> Vec<(&'static str, PathBuf)> {
        self.shelves.clone()
    }

    /// Programs that pip unpacked beside the modules that they need.
    fn from_pip(unpacked: &Path, program: &str) -> Option<Self> {
        let packages = unpacked.join("python").canonicalize().ok()?;
        let programs = packages.join("bin");
        programs.join(program).is_file().then_some(())?;
        find("python3")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = format!("{}:{}", programs.display(), path.display());
        let environment = vec![("PATH".to_owned(), path), ("PYTHONPATH".to_owned(), packages.display().to_string())];
        Some(Self { environment, shelves: Vec::new() })
    }
}
