//! Ratios beside peers, measured in one run: what is claimed about speed is shown here.

mod clock;
mod cores;
mod http;
mod load;
mod machine;
mod native;
mod peer;
mod process;
mod report;
mod settings;
mod spread;
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
        CliCommand::ServeHyper(options) => native::serve(&options),
        _ => Ok(()),
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
            _ => continue,
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
