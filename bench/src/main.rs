//! Ratios beside peers, measured in one run: what is claimed about speed is shown here.

mod app;
mod bare;
mod call;
mod capability;
mod clock;
mod cold;
mod compute;
mod cores;
mod density;
mod deploy;
mod examples;
mod fleet;
mod http;
mod instance;
mod load;
mod machine;
mod meter;
mod native;
mod neighbour;
mod ours;
mod peer;
mod process;
mod report;
mod settings;
mod spread;
mod start;
mod stream;
mod wire;
mod workerd;

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
        CliCommand::Density(settings) => benches(&settings, &[Name::Density]),
        CliCommand::Cold(settings) => benches(&settings, &[Name::Cold]),
        CliCommand::Neighbour(settings) => benches(&settings, &[Name::Neighbour]),
        CliCommand::Meter(settings) => benches(&settings, &[Name::Meter]),
        CliCommand::Deploy(settings) => benches(&settings, &[Name::Deploy]),
        CliCommand::Start(settings) => benches(&settings, &[Name::Start]),
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
            Name::Density => density::bench(settings, &logs),
            Name::Cold => cold::bench(settings, &logs),
            Name::Neighbour => neighbour::bench(settings, &logs),
            Name::Meter => meter::bench(settings, &logs),
            Name::Deploy => deploy::bench(settings, &logs),
            Name::Start => start::bench(settings, &logs),
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
