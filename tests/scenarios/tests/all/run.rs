//! `cumulet run`: commands of WASI 0.2, modules of preview 1, and what WebAssembly 3.0 adds.

use std::path::Path;

use anyhow::ensure;
use cumulet_scenarios::cases::cases;
use cumulet_scenarios::listener::Listener;
use cumulet_scenarios::once::{Finished, cumulet};
use cumulet_scenarios::paths;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    flags: Vec<String>,
    arguments: Vec<String>,
    #[serde(default)]
    input: String,
    #[serde(default)]
    code: i32,
    component_code: Option<i32>,
    #[serde(default)]
    stdout: String,
    stdout_contains: Option<String>,
    #[serde(default)]
    stderr: String,
}

#[test]
fn commands_do_what_they_may() -> anyhow::Result<()> {
    let cases: Vec<Case> = cases("run.toml")?;
    let mut failures = Vec::new();
    let (component, module) = (paths::guest("command.wasm")?, paths::module("command.wasm")?);
    for case in &cases {
        let component_code = case.component_code.unwrap_or(case.code);
        for (target, code) in [(&component, component_code), (&module, case.code)] {
            if let Err(error) = check(target, case, code) {
                failures.push(format!("{}, {}: {error:#}", target.display(), case.name));
            }
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

fn check(target: &Path, case: &Case, code: i32) -> anyhow::Result<()> {
    let target = target.display().to_string();
    let mut arguments = vec!["run"];
    arguments.extend(case.flags.iter().map(String::as_str));
    arguments.extend([target.as_str(), "--"]);
    arguments.extend(case.arguments.iter().map(String::as_str));
    let ended = cumulet(&arguments, case.input.as_bytes())?;
    ensure!(ended.code == Some(code), "not {code}: {ended:?}");
    match &case.stdout_contains {
        Some(part) => ensure!(ended.stdout.contains(part), "no {part:?}: {ended:?}"),
        None => ensure!(ended.stdout == case.stdout, "not {:?}: {ended:?}", case.stdout),
    }
    ensure!(ended.stderr.contains(&case.stderr), "no {:?}: {ended:?}", case.stderr);
    Ok(())
}

#[test]
fn each_feature_of_webassembly_3_runs() -> anyhow::Result<()> {
    let folder = paths::text_guest("run/gc.wat")?;
    let mut ran = 0;
    for entry in std::fs::read_dir(folder.parent().unwrap_or(&folder))? {
        let path = entry?.path();
        let ended = cumulet(&["run".as_ref(), path.as_os_str()], b"")?;
        ensure!(ended.code == Some(42), "{}: {ended:?}", path.display());
        ran += 1;
    }
    ensure!(ran >= 5, "only {ran} modules ran");
    Ok(())
}

#[test]
fn the_first_argument_is_the_programs_name() -> anyhow::Result<()> {
    let ended = run(&[], &["arguments", "print", "x"])?;
    let lines: Vec<_> = ended.stdout.lines().collect();
    ensure!(lines.get(1..) == Some(&["arg arguments", "arg print", "arg x", "x"]), "{ended:?}");
    Ok(())
}

#[test]
fn a_socket_is_opened_by_grant_alone() -> anyhow::Result<()> {
    let listener = Listener::start()?;
    let address = listener.address.to_string();
    let refused = run(&[], &["connect", &address])?;
    ensure!(refused.stdout.contains("connect refused"), "{refused:?}");
    let elsewhere = run(&["--grant", "network=tcp:127.0.0.1:1"], &["connect", &address])?;
    ensure!(elsewhere.stdout.contains("connect refused"), "{elsewhere:?}");
    ensure!(listener.visits() == 0, "{} connections came", listener.visits());
    let granted = run(&["--grant", &format!("network=tcp:{address}")], &["connect", &address])?;
    ensure!(granted.stdout == "connected\n", "{granted:?}");
    Ok(())
}

fn run(flags: &[&str], arguments: &[&str]) -> anyhow::Result<Finished> {
    let target = paths::guest("command.wasm")?.display().to_string();
    let mut all = vec!["run"];
    all.extend(flags);
    all.extend([target.as_str(), "--"]);
    all.extend(arguments);
    cumulet(&all, b"")
}
