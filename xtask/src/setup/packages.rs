//! Programs of the operating system.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::{environment, process};

/// A program that some test or bench calls, and the Debian package that brings it.
struct Program {
    name: &'static str,
    package: &'static str,
    needed_for: &'static str,
    place: Place,
}

/// Where a program is looked for.
enum Place {
    SearchPath,
    /// On the search path, and in `FOLDER/VERSION/bin` for any version.
    Versions(&'static str),
}

const PROGRAMS: [Program; 13] = [
    Program {
        name: "cc",
        package: "gcc",
        needed_for: "building the dependencies written in C",
        place: Place::SearchPath,
    },
    Program {
        name: "curl",
        package: "curl",
        needed_for: "trying what `cargo xtask demo` prints",
        place: Place::SearchPath,
    },
    Program {
        name: "wrk",
        package: "wrk",
        needed_for: "the load of `cargo xtask bench http`",
        place: Place::SearchPath,
    },
    Program {
        name: "nginx",
        package: "nginx-light",
        needed_for: "the peer of `cargo xtask bench http`",
        place: Place::SearchPath,
    },
    Program {
        name: "postgres",
        package: "postgresql",
        needed_for: "the tests of databases on a PostgreSQL server",
        place: Place::Versions("/usr/lib/postgresql"),
    },
    Program {
        name: "redis-server",
        package: "redis-server",
        needed_for: "the tests and the bench of key-value stores on Redis",
        place: Place::SearchPath,
    },
    Program {
        name: "nats-server",
        package: "nats-server",
        needed_for: "the tests and the bench of key-value stores on NATS",
        place: Place::SearchPath,
    },
    Program {
        name: "docker-registry",
        package: "docker-registry",
        needed_for: "the tests of what is pushed to and pulled from registries",
        place: Place::SearchPath,
    },
    Program {
        name: "pebble",
        package: "pebble",
        needed_for: "the tests of certificates from an ACME server",
        place: Place::SearchPath,
    },
    Program {
        name: "chromium",
        package: "chromium",
        needed_for: "the tests of the page in a browser",
        place: Place::SearchPath,
    },
    Program {
        name: "node",
        package: "nodejs",
        needed_for: "the tests of the page in a browser",
        place: Place::SearchPath,
    },
    Program {
        name: "pip3",
        package: "python3-pip",
        needed_for: "the test that holds the admin API against its description",
        place: Place::SearchPath,
    },
    Program { name: "npm", package: "npm", needed_for: "the tests of the page in a browser", place: Place::SearchPath },
];

impl Program {
    fn is_there(&self) -> bool {
        environment::find_program(self.name).is_some()
            || match self.place {
                Place::SearchPath => false,
                Place::Versions(folder) => is_in_a_version(Path::new(folder), self.name),
            }
    }
}

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
    PROGRAMS.iter().filter(|program| !program.is_there()).collect()
}

fn is_in_a_version(folder: &Path, program: &str) -> bool {
    let versions = std::fs::read_dir(folder).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin").join(program)).any(|file| file.is_file())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_any_version() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_in_a_version(folder.path(), "postgres"));
        assert!(!is_in_a_version(&folder.path().join("nowhere"), "postgres"));
        std::fs::create_dir_all(folder.path().join("15/bin")).unwrap();
        std::fs::write(folder.path().join("15/bin/postgres"), "").unwrap();
        assert!(is_in_a_version(folder.path(), "postgres"));
        assert!(!is_in_a_version(folder.path(), "initdb"));
    }
}
