//! What the tests in a browser call: packages of npm, of fixed versions.

use std::process::Command;

use anyhow::{Context, bail};

use crate::repository::Repository;
use crate::{environment, process};

/// What npm writes of what it has unpacked.
const UNPACKED: &str = "node_modules/.package-lock.json";
/// What it is to unpack.
const LOCK: &str = "package-lock.json";

/// A folder with a lock file, and the package that it is there for.
struct Set {
    folder: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const SETS: [Set; 2] = [
    Set { folder: "tests/browser", package: "playwright-core", purpose: "the tests of pages in a browser" },
    Set { folder: "tests/jco", package: "@bytecodealliance/jco", purpose: "the tests of components in a browser" },
];

/// Unpacks what the lock files name; where that is impossible, says so.
///
/// # Errors
/// When something stays missing on a build machine (`CI=true`).
pub(super) fn ensure(repository: &Repository) -> anyhow::Result<()> {
    SETS.iter().try_for_each(|set| unpack(repository, set))
}

fn unpack(repository: &Repository, set: &Set) -> anyhow::Result<()> {
    let folder = repository.root().join(set.folder);
    let version = |file: &str| {
        let text = std::fs::read_to_string(folder.join(file)).ok()?;
        let document: serde_json::Value = serde_json::from_str(&text).ok()?;
        document.get("packages")?.get(format!("node_modules/{}", set.package))?.get("version").cloned()
    };
    let wanted = version(LOCK).with_context(|| format!("{}/{LOCK} names no {}", set.folder, set.package))?;
    if version(UNPACKED).as_ref() == Some(&wanted) {
        println!("setup: {} {wanted} is there", set.package);
        return Ok(());
    }
    let Some(npm) = environment::find_program("npm") else { return missing(set, "there is no npm") };
    let mut command = Command::new(npm);
    // Nothing that it brings runs on the way, and no browser is fetched: Debian's is used. The lock file is kept to and
    // left as it is; `npm ci` would want what other systems need in it, too.
    command.current_dir(&folder).args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]);
    process::run(&mut command).or_else(|error| missing(set, &format!("{error:#}")))
}

fn missing(set: &Set, why: &str) -> anyhow::Result<()> {
    if environment::is_ci() {
        bail!("could not unpack {}: {why}", set.package);
    }
    println!("setup: no {}, which is for {}: {why}", set.package, set.purpose);
    Ok(())
}
