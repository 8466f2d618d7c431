//! What makes requests from the description of the admin API.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::repository::Repository;
use crate::{environment, process};

/// The folder of what that is.
const TESTS: &str = "tests/contract";
/// What is unpacked, of fixed versions.
const LIST: &str = "requirements.txt";
/// Where it is unpacked.
const PACKAGES: &str = ".packages";

/// Unpacks what the list names; where that is impossible, says so.
///
/// # Errors
/// When it stays missing on a build machine (`CI=true`).
pub(super) fn ensure(repository: &Repository) -> anyhow::Result<()> {
    let folder = repository.root().join(TESTS);
    let wanted = std::fs::read_to_string(folder.join(LIST)).with_context(|| format!("{TESTS}/{LIST}"))?;
    let packages = folder.join(PACKAGES);
    // Written last: what was broken off is unpacked again.
    let done = packages.join(LIST);
    if std::fs::read_to_string(&done).is_ok_and(|unpacked| unpacked == wanted) {
        println!("setup: schemathesis is there");
        return Ok(());
    }
    let Some(python) = environment::find_program("python3") else { return missing("there is no python3") };
    unpack(&python, &folder, &packages).or_else(|error| missing(&format!("{error:#}")))?;
    if packages.is_dir() {
        std::fs::write(&done, wanted)?;
    }
    Ok(())
}

fn unpack(python: &Path, folder: &Path, packages: &Path) -> anyhow::Result<()> {
    if packages.exists() {
        std::fs::remove_dir_all(packages)?;
    }
    let mut command = Command::new(python);
    command.current_dir(folder).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    let done = process::run(command.args(["--no-deps", "--target", PACKAGES, "--requirement", LIST]));
    if done.is_err() && packages.exists() {
        std::fs::remove_dir_all(packages)?;
    }
    done
}

fn missing(why: &str) -> anyhow::Result<()> {
    if environment::is_ci() {
        bail!("could not unpack schemathesis: {why}");
    }
    println!("setup: no schemathesis, which holds the admin API against its description: {why}");
    Ok(())
}
