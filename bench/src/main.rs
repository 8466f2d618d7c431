//! Ratios beside peers, measured in one run: what is claimed about speed is shown here.

mod app;
mod bare;
mod call;
mod capability;
mod clock;
mod compute;
mod cores;
mod examples;
mod http;
mod instance;
mod load;
mod machine;
mod native;
mod ours;
mod peer;
mod process;
mod report;
mod settings;
mod spread;
mod stream;
mod wire;

use std::io::{self, Write as _};

use anyhow::{Context, Result};
use clap::Parser as _;

use crate::machine::Machine;
use crate::settings::{Cli, CliCommand, Name, Settings};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    match Cli::parse().command {
        CliCommand::Http(settings) => benches(&settings, &[Name::Http]),
        CliCommand::Instance(settings) => benches(&settings, &[Name::Instance]),
        CliCommand::Examples(settings) => benches(&settings, &[Name::Examples]),
        CliCommand::Compute(settings) => benches(&settings, &[Name::Compute]),
        CliCommand::Stream(settings) => benches(&settings, &[Name::Stream]),
        CliCommand::Capability(settings) => benches(&settings, &[Name::Capability]),
        CliCommand::All(settings) => benches(&settings, &Name::ALL),
        CliCommand::ServeHyper(options) => native::serve(&options),
    }
}

/// Runs benches one after the other; one that fails does not keep the others from running.
fn benches(settings: &Settings, names: &[Name]) -> Result<()> {
    let machine = Machine::look(&Settings::root());
    let folder = Settings::out()?;
    let mut failed = Vec::new();
    for name in names {
        let logs = folder.join("logs");
        let report = match name {
            Name::Http => http::bench(settings, &logs),
            Name::Instance => instance::bench(settings),
            Name::Examples => examples::bench(settings, &logs),
            Name::Compute => compute::bench(settings),
            Name::Stream => stream::bench(settings, &logs),
            Name::Capability => capability::bench(settings),
        };
        let mut out = io::stdout().lock();
        match report {
            Ok(report) => {
                let path = report.publish(&machine, &folder, &mut out)?;
                writeln!(out, "  written to {}", path.display())?;
            }
            Err(error) => {
                writeln!(out, "\nbench {name:?} failed: {error:#}")?;
                failed.push(format!("{name:?}"));
            }
        }
    }
    failed.is_empty().then_some(()).with_context(|| format!("failed: {}", failed.join(", ")))
}
