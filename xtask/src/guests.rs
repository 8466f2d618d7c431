//! Builds the example apps and the test guests.

use std::path::Path;

use crate::process;
use crate::repository::Repository;
use crate::setup::guest_target::{GUEST_TARGET, MODULE_TARGET};
use crate::stopwatch::{self, Stopwatch};

/// The guests that are built as core modules of preview 1, too.
const MODULES: [(&str, &str); 4] =
    [("tests/guests", "command"), ("tests/guests", "cgi"), ("tests/guests", "cgi-linked"), ("examples", "cgi-csv")];

/// Builds every guest workspace once, optimised.
///
/// The components lie in `<workspace>/target/wasm32-wasip2/release/`, the core modules in
/// `<workspace>/target/wasm32-wasip1/release/`.
pub(crate) fn build(repository: &Repository) -> anyhow::Result<()> {
    let workspaces = repository.guest_workspaces();
    for (index, workspace) in workspaces.iter().enumerate() {
        println!("guests {}/{}: {workspace}", index + 1, workspaces.len());
        build_one(repository, workspace)?;
    }
    Ok(())
}

/// Builds the guest workspace at `workspace`, a path from the root.
pub(crate) fn build_one(repository: &Repository, workspace: &str) -> anyhow::Result<()> {
    let stopwatch = Stopwatch::start();
    let folder = repository.root().join(workspace);
    cargo_build(&folder, &["--workspace", "--target", GUEST_TARGET])?;
    for (_, package) in MODULES.iter().filter(|(place, _)| *place == workspace) {
        cargo_build(&folder, &["--package", package, "--target", MODULE_TARGET])?;
    }
    println!("guests: {workspace} built in {}", stopwatch::display(stopwatch.elapsed()));
    Ok(())
}

fn cargo_build(folder: &Path, what: &[&str]) -> anyhow::Result<()> {
    process::run(process::cargo(folder, &["build", "--release"]).args(what))
}
