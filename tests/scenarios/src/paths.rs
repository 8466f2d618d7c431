//! Where the binary, the guests and the data of the scenarios lie.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Names the binary under test, where it is not the one beside the test's own executable.
const BINARY_VARIABLE: &str = "CUMULET_BIN";

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The binary under test.
///
/// # Errors
/// When it was not built.
pub fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(BINARY_VARIABLE) {
        return Ok(PathBuf::from(path));
    }
    // Tests run from `target/PROFILE/deps`.
    let test = std::env::current_exe().context("the test does not know its own path")?;
    let profile = test.ancestors().nth(2).context("the test does not run from a target folder")?;
    let binary = profile.join("cumulet");
    if !binary.is_file() {
        bail!("{} is missing: run `cargo build -p cumulet`, or set {BINARY_VARIABLE}", binary.display());
    }
    Ok(binary)
}

/// A compiled guest: `hostile.wasm`, `hostile_p3.wasm`, `command.wasm`.
///
/// # Errors
/// When it was not built.
pub fn guest(file: &str) -> anyhow::Result<PathBuf> {
    built(repository().join("tests/guests/target/wasm32-wasip2/release").join(file))
}

/// A guest compiled as a core module of preview 1: `command.wasm`.
///
/// # Errors
/// When it was not built.
pub fn module(file: &str) -> anyhow::Result<PathBuf> {
    built(repository().join("tests/guests/target/wasm32-wasip1/release").join(file))
}

/// A guest in the text format, by its path below `tests/guests/wat`.
///
/// # Errors
/// When there is none.
pub fn text_guest(file: &str) -> anyhow::Result<PathBuf> {
    built(repository().join("tests/guests/wat").join(file))
}

/// A manifest of `tests/data/apps`; the guests that it names have to be built.
///
/// # Errors
/// When one of them is missing.
pub fn app(file: &str) -> anyhow::Result<PathBuf> {
    guest("hostile.wasm")?;
    guest("hostile_p3.wasm")?;
    built(repository().join("tests/data/apps").join(file))
}

fn built(path: PathBuf) -> anyhow::Result<PathBuf> {
    if !path.is_file() {
        bail!("{} is missing: run `cargo xtask guests`", path.display());
    }
    Ok(path)
}

/// Writes a manifest with these components into `folder`, each with its name, its guest, its grants, and its route
/// `/NAME/*`.
///
/// # Errors
/// When a guest was not built or the manifest cannot be written.
pub fn manifest(folder: &Path, components: &[(&str, &str, &str)]) -> anyhow::Result<PathBuf> {
    let mut text = "manifest = 1\n[app]\nname = \"granted\"\n".to_owned();
    for (name, file, grant) in components {
        let source = guest(file)?.canonicalize()?;
        writeln!(text, "[component.{name}]\nsource = {source:?}\n[component.{name}.grant]\n{grant}")?;
        writeln!(text, "[[trigger.http]]\nroute = \"/{name}/*\"\ncomponent = \"{name}\"")?;
    }
    let path = folder.join("cumulet.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}
