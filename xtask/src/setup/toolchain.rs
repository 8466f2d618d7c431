//! The parts of the pinned Rust toolchain that the checks call.

use anyhow::Context;

use crate::process;
use crate::repository::Repository;

const COMPONENTS: [(&str, &str); 2] = [("rustfmt", "fmt"), ("clippy", "clippy")];

/// Adds rustfmt and clippy to the pinned toolchain where they are missing.
pub(super) fn ensure(repository: &Repository) -> anyhow::Result<()> {
    for (component, subcommand) in COMPONENTS {
        if process::succeeds(&mut process::cargo(repository.root(), &[subcommand, "--version"])) {
            println!("setup: {component} is there");
            continue;
        }
        println!("setup: adding {component}");
        process::run(std::process::Command::new("rustup").args(["component", "add", component]))
            .with_context(|| format!("cargo {subcommand} does not run, and rustup could not add {component}"))?;
    }
    Ok(())
}
