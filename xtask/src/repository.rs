//! Where things lie in the repository.

use std::path::{Path, PathBuf};

/// The folders of guests: workspaces of their own, built for WebAssembly.
const GUEST_WORKSPACES: [&str; 2] = ["examples", "tests/guests"];

/// The checkout that these commands work on.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The checkout that this program was built from.
    pub(crate) fn here() -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: own.parent().unwrap_or(own).to_path_buf() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The shared build folder of the main workspace.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The guest workspaces that exist, by their path from the root.
    pub(crate) fn guest_workspaces(&self) -> Vec<&'static str> {
        GUEST_WORKSPACES.into_iter().filter(|folder| self.root.join(folder).join("Cargo.toml").is_file()).collect()
    }
}
