//! Benchmarks, each beside its peers in one run.

use std::process::Command;

use crate::repository::Repository;
use crate::{guests, process, setup};

/// Which benchmark, and how it is run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask bench http --quick")]
pub(crate) struct Options {
    /// Programs without optimisation: shows that the benchmark works, and nothing else
    #[arg(long)]
    dev: bool,
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
    // Both at once: built one after the other, they would ask for different features of what they share.
    let (build, folder): (&[_], _) = if options.dev {
        (&["build", "--workspace", "--bins", "--tests"], "debug")
    } else {
        (&["build", "--profile", "dist", "-p", "cumulet", "-p", "cumulet-bench"], "dist")
    };
    process::run(&mut process::cargo(repository.root(), build))?;
    let mut command = Command::new(repository.target().join(folder).join("cumulet-bench"));
    command.current_dir(repository.root()).arg(&options.name).args(&options.more);
    // A backtrace in every error value is a cost that nobody asked to measure.
    command.env_remove("RUST_BACKTRACE").env_remove("RUST_LOG");
    process::run(&mut command)
}
