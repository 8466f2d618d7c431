//! Bad input gets one clear error with the next step, and no server.

use std::path::Path;

use anyhow::{Context as _, ensure};
use cumulet_scenarios::once::{Finished, cumulet};
use cumulet_scenarios::paths;

/// What `up` says about `target`, with everything that differs between machines replaced.
fn refused(target: &Path, options: &[&str]) -> anyhow::Result<String> {
    let data = tempfile::tempdir()?;
    // Commands run in the repository: a relative target keeps the folding of long lines the same on every machine.
    let target = target.strip_prefix(paths::repository()).unwrap_or(target);
    let (target, data) = (target.display().to_string(), data.path().display().to_string());
    let mut arguments = vec!["up", &target, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir", &data];
    arguments.extend(options);
    let ended = cumulet(&arguments, b"")?;
    // What a shell says about a missing program is the shell's own.
    let said = ended.stderr.lines().filter(|line| !line.starts_with("  | sh:"));
    let report: String = said.flat_map(|line| [line, "\n"]).collect();
    let report = format!("exit {:?}\n{report}", ended.code);
    check_shape(&ended)?;
    let root = paths::repository();
    let mut report = report.replace(&root.display().to_string(), "REPOSITORY").replace(&data, "DATA");
    report = report.replace(&root.canonicalize()?.display().to_string(), "REPOSITORY");
    Ok(report)
}

fn check_shape(ended: &Finished) -> anyhow::Result<()> {
    ensure!(matches!(ended.code, Some(1..=3)), "{ended:?}");
    ensure!(ended.stdout.is_empty(), "an error does not belong on standard output: {ended:?}");
    ensure!(!ended.stderr.contains("panicked"), "{ended:?}");
    Ok(())
}

#[test]
fn manifests_that_are_wrong() -> anyhow::Result<()> {
    let folder = paths::repository().join("tests/data/bad");
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    ensure!(!files.is_empty(), "no cases");
    for file in files {
        let name = file.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
        insta::assert_snapshot!(format!("manifest-{name}"), refused(&file, &[])?);
    }
    Ok(())
}

#[test]
fn files_that_are_no_http_component() -> anyhow::Result<()> {
    for name in ["core-module", "unknown-import", "ungranted-store", "no-handler", "not-wat"] {
        let file = paths::text_guest(&format!("{name}.wat"))?;
        insta::assert_snapshot!(format!("component-{name}"), refused(&file, &[])?);
    }
    Ok(())
}

#[test]
fn files_that_are_damaged() -> anyhow::Result<()> {
    let whole = std::fs::read(paths::guest("hostile.wasm")?)?;
    let folder = tempfile::tempdir()?;
    let mut damaged = whole.clone();
    // In the middle of the code, where every bit counts.
    let middle = damaged.len() / 2;
    damaged.get_mut(middle..middle + 64).context("it is long enough")?.fill(0xff);
    let cases = [
        ("truncated", whole.get(..whole.len() / 2).context("it is long enough")?),
        ("corrupt", damaged.as_slice()),
        ("empty", &[]),
        ("random", b"this is no WebAssembly at all"),
    ];
    for (name, bytes) in cases {
        let file = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&file, bytes)?;
        let report = refused(&file, &[])?.replace(&folder.path().display().to_string(), "FOLDER");
        ensure!(report.starts_with("exit Some(3)\n") && report.contains(&format!("{name}.wasm")), "{name}: {report}");
    }
    Ok(())
}

#[test]
fn a_target_that_is_not_there() -> anyhow::Result<()> {
    insta::assert_snapshot!("target-missing", refused(Path::new("no/such/folder"), &[])?);
    Ok(())
}

#[test]
fn a_port_that_is_in_use() -> anyhow::Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let target = paths::guest("hostile.wasm")?.display().to_string();
    let data = tempfile::tempdir()?.path().display().to_string();
    let ended = cumulet(&["up", &target, "--listen", &address, "--admin", "127.0.0.1:0", "--data-dir", &data], b"")?;
    check_shape(&ended)?;
    ensure!(ended.code == Some(1), "{ended:?}");
    ensure!(ended.stderr.contains(&address) && ended.stderr.contains("--listen"), "{ended:?}");
    Ok(())
}

#[test]
fn an_error_in_json_is_one_line() -> anyhow::Result<()> {
    let file = paths::repository().join("tests/data/bad/typo.toml").display().to_string();
    let ended = cumulet(&["up", "--json", &file], b"")?;
    ensure!(ended.code == Some(3), "{ended:?}");
    let error: serde_json::Value = serde_json::from_str(ended.stderr.trim_end())?;
    ensure!(error.get("error").is_some_and(|error| error.is_object()), "{error}");
    Ok(())
}
