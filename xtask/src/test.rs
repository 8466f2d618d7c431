//! Everything that a change must pass.

use anyhow::bail;

use crate::left_out::{self, LeftOut};
use crate::repository::Repository;
use crate::setup::guest_target::{self, GUEST_TARGET};
use crate::steps::{OnFailure, Steps};
use crate::{environment, guests, process, tidy};

/// The tests that cannot do anything without built guests.
const GUEST_TESTS: &str = "cumulet-scenarios";

/// How the tests are run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Go on after a step that failed
    #[arg(long)]
    keep_going: bool,
}

/// Runs every step, prints what each took, and lists by name what was left out.
///
/// # Errors
/// When a step failed or, on a build machine (`CI=true`), when anything was left out.
pub(crate) fn run(repository: &Repository, options: &Options) -> anyhow::Result<()> {
    let on_failure = if options.keep_going { OnFailure::GoOn } else { OnFailure::Stop };
    let mut steps = Steps::new(on_failure);
    let mut left_out = LeftOut::begin(repository)?;

    steps.run("tidy", || tidy::run(repository));
    steps.run("format", || format(repository));
    let with_guests = prepare_guests(repository, &mut steps, &mut left_out);
    steps.run("clippy", || clippy(repository));
    if with_guests {
        steps.run("clippy of guests", || clippy_of_guests(repository));
    }
    steps.run("tests", || tests(repository, &left_out, with_guests));
    steps.run("tests of the examples", || tests_of_examples(repository, &left_out));
    if environment::find_program("cargo-deny").is_some() {
        steps.run("cargo deny", || {
            let arguments = ["deny", "--offline", "check", "bans", "licenses", "sources"];
            process::run(&mut process::cargo(repository.root(), &arguments))
        });
    }

    println!("\n{}", steps.summary());
    conclude(&steps, &left_out)
}

fn conclude(steps: &Steps, left_out: &LeftOut) -> anyhow::Result<()> {
    let entries = left_out.entries()?;
    if entries.is_empty() {
        println!("\nNothing was left out.");
    } else {
        println!("\nLeft out, for lack of a server or a tool:");
        for entry in &entries {
            println!("  - {entry}");
        }
    }
    if steps.failed() {
        bail!("a step failed; it is marked above");
    }
    if !entries.is_empty() && environment::is_ci() {
        bail!("with CI=true nothing may be left out");
    }
    Ok(())
}

/// Builds guests, or notes what cannot run without them; says whether they are there.
fn prepare_guests(repository: &Repository, steps: &mut Steps, left_out: &mut LeftOut) -> bool {
    if !steps.go_on() {
        return false;
    }
    if let Err(error) = guest_target::ensure() {
        left_out.add(
            &format!("guests, their clippy, and the tests in {GUEST_TESTS}"),
            &format!("no target {GUEST_TARGET}"),
            &format!("{error:#}").replace('\n', "\n      "),
        );
        return false;
    }
    steps.run("guests", || guests::build(repository));
    true
}

fn format(repository: &Repository) -> anyhow::Result<()> {
    for folder in ["."].into_iter().chain(repository.guest_workspaces()) {
        println!("format: {folder}");
        let folder = repository.root().join(folder);
        process::run(&mut process::cargo(&folder, &["fmt", "--all", "--check"]))?;
    }
    Ok(())
}

fn clippy(repository: &Repository) -> anyhow::Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    process::run(&mut process::cargo(repository.root(), &arguments))
}

/// The code that guests run, as it is compiled for them.
fn clippy_of_guests(repository: &Repository) -> anyhow::Result<()> {
    for workspace in repository.guest_workspaces() {
        println!("clippy: {workspace}");
        let arguments = ["clippy", "--workspace", "--release", "--target", GUEST_TARGET, "--", "-D", "warnings"];
        process::run(&mut process::cargo(&repository.root().join(workspace), &arguments))?;
    }
    Ok(())
}

fn tests(repository: &Repository, left_out: &LeftOut, with_guests: bool) -> anyhow::Result<()> {
    // Scenarios start the program itself. Built together with the tests, it shares their dependencies.
    let programs = ["build", "--workspace", "--bins", "--tests"];
    process::run(&mut process::cargo(repository.root(), &programs))?;
    let mut command = process::cargo(repository.root(), &["test", "--workspace", "--no-fail-fast"]);
    if !with_guests {
        command.args(["--exclude", GUEST_TESTS]);
    }
    process::run(command.env(left_out::VARIABLE, left_out.file()))
}

/// The examples' own tests run natively: what they compute does not depend on WebAssembly.
fn tests_of_examples(repository: &Repository, left_out: &LeftOut) -> anyhow::Result<()> {
    let Some(examples) = repository.guest_workspaces().into_iter().find(|folder| *folder == "examples") else {
        println!("there are no examples");
        return Ok(());
    };
    let mut command = process::cargo(&repository.root().join(examples), &["test", "--workspace", "--no-fail-fast"]);
    process::run(command.env(left_out::VARIABLE, left_out.file()))
}
