//! The public WASI conformance suite, run through `cumulet run`.

use std::path::Path;

/// Runs the suite in `suite` with the repository at `root`.
///
/// # Errors
/// Always, until the adapter exists.
pub(crate) fn run(root: &Path, suite: &Path) -> anyhow::Result<()> {
    anyhow::bail!(
        "no adapter for the suite in {} exists in {} yet",
        suite.display(),
        root.display()
    )
}
