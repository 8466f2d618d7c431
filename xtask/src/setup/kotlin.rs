//! The program in Kotlin, whose compiler Maven brings.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, bail};

use crate::repository::Repository;
use crate::{environment, process};

/// Where it lies.
const FOLDER: &str = "tests/guests/kotlin";
/// What it is made of.
const SOURCES: [&str; 2] = ["pom.xml", "src/Main.kt"];
/// What it is compiled to.
const PROGRAM: &str = "tests/guests/target/kotlin/words.wasm";
/// What brings Java and Maven.
const PACKAGES: &str = "apt install maven default-jdk-headless";

/// Compiles it if it is not there or older than its sources; where that is impossible, says so.
///
/// # Errors
/// When it stays missing on a build machine (`CI=true`).
pub(super) fn ensure(repository: &Repository) -> anyhow::Result<()> {
    let folder = repository.root().join(FOLDER);
    if is_current(&folder, &repository.root().join(PROGRAM))? {
        println!("setup: the program in Kotlin is there");
        return Ok(());
    }
    let Some(maven) = environment::find_program("java").and(environment::find_program("mvn")) else {
        return missing(&format!("there is no Java, or no Maven ({PACKAGES})"));
    };
    println!("setup: compiling the program in Kotlin");
    let mut command = Command::new(maven);
    command.current_dir(&folder).args(["--batch-mode", "--quiet", "package"]);
    process::run(&mut command).or_else(|error| missing(&format!("{error:#}")))
}

fn is_current(folder: &Path, program: &Path) -> anyhow::Result<bool> {
    let changed = |file: &Path| -> anyhow::Result<SystemTime> {
        let found = file.metadata().and_then(|metadata| metadata.modified());
        found.with_context(|| format!("cannot read {}", file.display()))
    };
    let Ok(made) = changed(program) else { return Ok(false) };
    for source in SOURCES {
        if changed(&folder.join(source))? > made {
            return Ok(false);
        }
    }
    Ok(true)
}

fn missing(why: &str) -> anyhow::Result<()> {
    if environment::is_ci() {
        bail!("could not compile the program in Kotlin: {why}");
    }
    println!("setup: no program in Kotlin: {why}");
    Ok(())
}
