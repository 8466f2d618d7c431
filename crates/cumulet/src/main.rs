//! Your own edge cloud in one binary.
//!
//! This crate is argv, terminal and exit codes. What the commands do lives in `cumulet-node`.

mod cli;
mod client;
mod command;
mod data_folder;
mod environment;
mod exit;
mod failure;
mod fetching;
mod log;
mod making;
mod review;
mod stopwatch;
mod table;
mod target;
mod template;
mod terminal;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
