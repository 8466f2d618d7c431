//! Programs of the operating system.

use std::process::Command;

use anyhow::bail;

use crate::{environment, process};

/// A program that some test or bench calls, and the Debian package that brings it.
struct Program {
    name: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

const PROGRAMS: [Program; 6] = [
    Program { name: "cc", package: "gcc", needed_for: "building the dependencies written in C" },
    Program { name: "curl", package: "curl", needed_for: "trying what `cargo xtask demo` prints" },
    Program { name: "wrk", package: "wrk", needed_for: "the load of `cargo xtask bench http`" },
    Program { name: "nginx", package: "nginx-light", needed_for: "the peer of `cargo xtask bench http`" },
    Program { name: "redis-server", package: "redis-server", needed_for: "the tests of the key-value store on Redis" },
    Program { name: "nats-server", package: "nats-server", needed_for: "the tests of the key-value store on NATS" },
];

/// Installs the missing programs with apt; where that is impossible, names them.
///
/// # Errors
/// When programs stay missing on a build machine (`CI=true`).
pub(super) fn ensure() -> anyhow::Result<()> {
    if missing().is_empty() {
        println!("setup: all programs are there ({})", names(&PROGRAMS.iter().collect::<Vec<_>>()));
        return Ok(());
    }
    install(&missing());
    let still = missing();
    for program in &still {
        println!("setup: no {}, which is for {}; package {}", program.name, program.needed_for, program.package);
    }
    if !still.is_empty() && environment::is_ci() {
        bail!("could not install {}: install them in the image of the build machine", names(&still));
    }
    Ok(())
}

fn missing() -> Vec<&'static Program> {
    PROGRAMS.iter().filter(|program| environment::find_program(program.name).is_none()).collect()
}

fn names(programs: &[&Program]) -> String {
    programs.iter().map(|program| program.name).collect::<Vec<_>>().join(", ")
}

/// One attempt, then another after the lists were refreshed. What fails shows in what is still missing.
fn install(programs: &[&Program]) {
    if environment::find_program("apt-get").is_none() {
        return;
    }
    println!("setup: installing {}", names(programs));
    let mut arguments = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    arguments.extend(programs.iter().map(|program| program.package));
    if process::run(&mut apt_get(&arguments)).is_ok() {
        return;
    }
    println!("setup: refreshing apt's lists for a second attempt");
    let second =
        process::run(&mut apt_get(&["update", "--quiet"])).and_then(|()| process::run(&mut apt_get(&arguments)));
    if let Err(error) = second {
        eprintln!("setup: {error:#}");
    }
}

/// `apt-get`, through `sudo` for anyone but root; never asks.
fn apt_get(arguments: &[&str]) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
    command
}
