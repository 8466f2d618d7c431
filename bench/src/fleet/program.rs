//! The program that serves what was deployed.

use std::path::{Path, PathBuf};

use crate::settings::Settings;

/// The program under test.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Its file.
    pub(super) path: PathBuf,
}

impl Program {
    /// cumulet, or why it is left out.
    pub(crate) fn find(settings: &Settings) -> Result<Self, String> {
        Ok(Self { path: settings.cumulet()? })
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
