//! Benchmarks, each beside its peers in one run.

use crate::repository::Repository;
use crate::{guests, process, setup};

/// Which benchmark, and how it is run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask bench http --quick")]
pub(crate) struct Options {
    /// The benchmark's name, or `all`
    name: String,
    /// Passed on as they are: `--quick` for fewer repetitions, and what `--help` of the benchmark lists
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    more: Vec<String>,
}

/// Builds guests and the optimised programs, then runs the benchmark.
pub(crate) fn run(repository: &Repository, options: &Options) -> anyhow::Result<()> {
    setup::guest_target::ensure()?;
    guests::build(repository)?;
    process::run(&mut process::cargo(repository.root(), &["build", "--release", "-p", "cumulet"]))?;
    let mut command = process::cargo(repository.root(), &["run", "--release", "--quiet", "-p", "cumulet-bench", "--"]);
    command.arg(&options.name);
    command.args(&options.more);
    // A backtrace in every error value is a cost that nobody asked to measure.
    command.env_remove("RUST_BACKTRACE").env_remove("RUST_LOG");
    process::run(&mut command)
}
