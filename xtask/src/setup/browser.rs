//! What drives the browser in the tests of the page.

use std::process::Command;

use anyhow::{Context, bail};

use crate::repository::Repository;
use crate::{environment, process};

/// The folder of those tests.
const TESTS: &str = "tests/browser";
/// What npm writes of what it has unpacked.
const UNPACKED: &str = "node_modules/.package-lock.json";
/// What it is to unpack.
const LOCK: &str = "package-lock.json";

/// Unpacks what the lock file names; where that is impossible, says so.
///
/// # Errors
/// When it stays missing on a build machine (`CI=true`).
pub(super) fn ensure(repository: &Repository) -> anyhow::Result<()> {
    let folder = repository.root().join(TESTS);
    let version = |file: &str| {
        let text = std::fs::read_to_string(folder.join(file)).ok()?;
        let document: serde_json::Value = serde_json::from_str(&text).ok()?;
        document.pointer("/packages/node_modules~1playwright-core/version").cloned()
    };
    let wanted = version(LOCK).with_context(|| format!("{TESTS}/{LOCK} names no playwright-core"))?;
    if version(UNPACKED).as_ref() == Some(&wanted) {
        println!("setup: playwright-core {wanted} is there");
        return Ok(());
    }
    let Some(npm) = environment::find_program("npm") else { return missing("there is no npm") };
    let mut command = Command::new(npm);
    // Nothing that it brings runs on the way, and no browser is fetched: Debian's is used.
    command.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    process::run(&mut command).or_else(|error| missing(&format!("{error:#}")))
}

fn missing(why: &str) -> anyhow::Result<()> {
    if environment::is_ci() {
        bail!("could not unpack playwright-core: {why}");
    }
    println!("setup: no playwright-core, which is for the tests of the page in a browser: {why}");
    Ok(())
}
