//! The compilation target of guests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::{environment, process};

/// What components are built for.
pub(crate) const GUEST_TARGET: &str = "wasm32-wasip2";
/// What the tests' core modules of preview 1 are built for.
pub(crate) const MODULE_TARGET: &str = "wasm32-wasip1";

/// How long rustup may take for one target.
const FETCH_LIMIT: Duration = Duration::from_secs(300);

/// Adds the targets that are missing.
///
/// # Errors
/// When rustup cannot fetch a target; the error says what else can be done.
pub(crate) fn ensure() -> anyhow::Result<()> {
    for target in [GUEST_TARGET, MODULE_TARGET] {
        if is_there(target)? {
            println!("setup: the target {target} is there");
        } else {
            println!("setup: adding the target {target}");
            add(target)?;
        }
    }
    Ok(())
}

/// Whether the compiler has a standard library for `target`, wherever that came from.
fn is_there(target: &str) -> anyhow::Result<bool> {
    let folder = library_folder(target)?;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(false);
    };
    Ok(entries.flatten().any(|entry| is_std(&entry.path())))
}

fn is_std(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.starts_with("libstd-") && file.extension().is_some_and(|extension| extension == "rlib")
}

fn library_folder(target: &str) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", target]);
    Ok(PathBuf::from(process::output(&mut command).context("is a Rust toolchain installed?")?.trim()))
}

fn add(target: &str) -> anyhow::Result<()> {
    let added = if environment::find_program("rustup").is_some() {
        process::run_within(Command::new("rustup").args(["target", "add", target]), FETCH_LIMIT)
    } else {
        Err(anyhow::anyhow!("rustup is not installed"))
    };
    let cause = match added {
        Ok(()) if is_there(target)? => return Ok(()),
        Ok(()) => "rustup reported success, yet the compiler does not see the target".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    let release = process::output(Command::new("rustc").arg("--version"))?;
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let version = release.split_whitespace().nth(1).unwrap_or("VERSION");
    bail!("{}", advice(target, version, sysroot.trim(), &cause))
}

/// What a person can do where rustup cannot fetch `target`.
fn advice(target: &str, version: &str, sysroot: &str, cause: &str) -> String {
    let archive = format!("rust-std-{version}-{target}");
    format!(
        "the Rust target {target} is missing and could not be added\n\
         \x20 cause: {cause}\n\
         Guests are compiled for it. Do one of these, then run the same command again:\n\
         \x20 1. Behind a proxy or with a mirror, say so to rustup:\n\
         \x20      https_proxy=http://PROXY:PORT rustup target add {target}\n\
         \x20      RUSTUP_DIST_SERVER=https://MIRROR rustup target add {target}\n\
         \x20 2. Without a network, fetch the archive on another machine and unpack it here:\n\
         \x20      curl -O https://static.rust-lang.org/dist/{archive}.tar.xz\n\
         \x20      tar xf {archive}.tar.xz && ./{archive}/install.sh --prefix={sysroot}\n\
         \x20 3. With the compiler of a distribution instead of rustup's, install the package that brings\n\
         \x20    the target for exactly that compiler (Fedora: rust-std-static-{target};\n\
         \x20    Alpine: rust-wasm; Debian: libstd-rust-dev-wasm32).\n\
         \x20 4. Build it from Rust's sources, with a WASI SDK at hand:\n\
         \x20      git clone --depth 1 --branch {version} https://github.com/rust-lang/rust && cd rust\n\
         \x20      WASI_SDK_PATH=/path/to/wasi-sdk ./x build library --target {target}\n\
         \x20      cp -r build/host/stage1/lib/rustlib/{target} {sysroot}/lib/rustlib/"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_the_cause_and_commands_for_this_compiler() {
        let text = advice("wasm32-wasip2", "1.95.0", "/opt/rust", "no route to host");
        for part in [
            "cause: no route to host",
            "rust-std-1.95.0-wasm32-wasip2.tar.xz",
            "--prefix=/opt/rust",
            "https_proxy",
            "./x build library --target wasm32-wasip2",
        ] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
    }

    #[test]
    fn only_a_standard_library_counts() {
        let check = |name: &str, expected: bool| assert_eq!(is_std(Path::new(name)), expected, "{name}");
        check("lib/libstd-145b48c578b2b1aa.rlib", true);
        check("lib/libstd-145b48c578b2b1aa.rmeta", false);
        check("lib/libstd_detect-fa8fc216ac5538ba.rlib", false);
        check("lib/self-contained", false);
    }
}
