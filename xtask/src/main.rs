//! The project's own commands: `cargo xtask setup | test | demo | guests | tidy | bench | conformance`.
//!
//! Everything here runs on a developer's or a build machine and is never part of what ships.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks on its standard output and error"
)]

mod bench;
mod conformance;
mod demo;
mod environment;
mod guests;
mod left_out;
mod metadata;
mod process;
mod repository;
mod setup;
mod steps;
mod stopwatch;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repository::Repository;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", after_help = "Start here: cargo xtask demo")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what the full set of tests and benches needs; nothing happens when all is there
    Setup,
    /// Build the example apps and the test guests for WebAssembly
    Guests,
    /// Run everything that a change must pass
    Test(test::Options),
    /// Build and serve the example apps, and print a curl line for each
    Demo(demo::Options),
    /// Check the rules of the house: crate edges, sizes, names, links, licences
    Tidy,
    /// Run a benchmark beside its peers: http, instance, examples, compute, stream or all
    Bench(bench::Options),
    /// Run the public WASI conformance suite
    Conformance(conformance::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let repository = Repository::here();
    match task {
        Task::Setup => setup::run(&repository),
        Task::Guests => {
            setup::guest_target::ensure()?;
            guests::build(&repository)
        }
        Task::Test(options) => test::run(&repository, &options),
        Task::Demo(options) => demo::run(&repository, &options),
        Task::Tidy => tidy::run(&repository),
        Task::Bench(options) => bench::run(&repository, &options),
        Task::Conformance(options) => conformance::run(&repository, &options),
    }
}
