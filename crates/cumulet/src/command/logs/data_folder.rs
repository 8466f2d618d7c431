//! Whose logs are read when no folder is named.

use std::path::{Path, PathBuf};

use crate::data_folder::{candidates, none};
use crate::failure::Failure;

/// Where logs lie within a data folder.
const LOGS: &str = "logs";
/// The data folder of an app that is developed here.
const BESIDE_MANIFEST: &str = ".cumulet";

/// The first folder with logs: that of the current folder, then those that a node would use; if none has any, the first of
/// those, so that the error names it.
pub(super) fn with_logs() -> Result<PathBuf, Box<Failure>> {
    let beside = Path::new(BESIDE_MANIFEST);
    if beside.join(LOGS).is_dir() {
        return Ok(beside.to_owned());
    }
    let candidates = candidates();
    let found = candidates.iter().find(|folder| folder.join(LOGS).is_dir());
    found.or(candidates.first()).cloned().ok_or_else(none)
}
