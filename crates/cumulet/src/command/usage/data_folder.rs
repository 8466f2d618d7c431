//! Whose ledger is read when no folder is named.

use std::path::{Path, PathBuf};

use crate::data_folder::{candidates, none};
use crate::failure::Failure;

/// Where a ledger lies within a data folder.
const LEDGER: &str = "ledger";
/// The data folder of `cumulet up`, beside the manifest.
const BESIDE_MANIFEST: &str = ".cumulet";

/// The data folder of `cumulet up` in the current folder; if there is none, the first that a node would use and has a
/// ledger; if none has, the first, so that the error names it.
pub(super) fn with_ledger() -> Result<PathBuf, Box<Failure>> {
    let beside = Path::new(BESIDE_MANIFEST);
    if beside.is_dir() {
        return Ok(beside.to_owned());
    }
    let candidates = candidates();
    let found = candidates.iter().find(|folder| folder.join(LEDGER).is_dir());
    found.or(candidates.first()).cloned().ok_or_else(none)
}
