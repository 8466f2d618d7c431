//! The public WASI conformance suite (WebAssembly/wasi-testsuite), run through the real `cumulet` program.
//!
//! Commands go through `cumulet run`, services through `cumulet up` with a manifest that grants what the test is about.
//! Nothing of the suite is kept here.

mod case;
mod child;
mod client;
mod endpoint;
mod report;
mod specification;
mod suite;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::conformance::report::{Report, Verdict};
use crate::conformance::suite::Test;
use crate::process;
use crate::repository::Repository;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder of a checkout of WebAssembly/wasi-testsuite, branch prod/testsuite-base
    #[arg(long)]
    suite: PathBuf,
    /// Only tests whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// This program instead of a release build of the checkout
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Tests at once
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Seconds that each step of a test may take
    #[arg(long, default_value_t = 60)]
    patience: u64,
    /// Print one JSON value instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs the suite.
///
/// # Errors
/// When the program cannot be built, no test is found, or a test does not pass.
pub(crate) fn run(repository: &Repository, options: &Options) -> anyhow::Result<()> {
    let tests: Vec<Test> = suite::find(&options.suite)?
        .into_iter()
        .filter(|test| options.only.as_ref().is_none_or(|part| test.name.contains(part.as_str())))
        .collect();
    if tests.is_empty() {
        bail!("no compiled tests below {}: check out the branch prod/testsuite-base", options.suite.display());
    }
    let binary = binary(repository, options.binary.as_deref())?;
    let patience = Duration::from_secs(options.patience);
    let report = run_all(&tests, options.jobs, |test| Verdict::of(test, case::run(&binary, test, patience)));
    if options.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.table());
    }
    match report.failed() {
        0 => Ok(()),
        failed => bail!("{failed} of {} tests did not pass", report.total()),
    }
}

fn binary(repository: &Repository, given: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return given.canonicalize().with_context(|| format!("no program at {}", given.display()));
    }
    process::run(&mut process::cargo(repository.root(), &["build", "--release", "--package", "cumulet"]))?;
    Ok(repository.target().join("release/cumulet"))
}

/// Gives every test to one of `jobs` threads.
fn run_all(tests: &[Test], jobs: usize, run: impl Fn(&Test) -> Verdict + Sync) -> Report {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::from_fn(|| tests.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.map(&run).collect::<Vec<_>>()
    };
    let join = |thread: ScopedJoinHandle<'_, Vec<Verdict>>| match thread.join() {
        Ok(verdicts) => verdicts,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let verdicts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(join).collect()
    });
    Report::new(verdicts)
}
