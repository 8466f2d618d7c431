//! `cumulet run` on modules in the text format: each file of `tests/data/run` says in its first lines what it expects.
//!
//! `;; flags:`, `;; args:` and `;; stdin:` are given to it; `;; expect exit:` (0 if absent), `;; expect stdout:` (one line each,
//! the whole output) and `;; expect stderr:` (a part of it) are compared.

use std::path::Path;

use anyhow::{Context as _, ensure};
use cumulet_scenarios::once::cumulet;
use cumulet_scenarios::paths;

#[test]
fn each_module_does_what_its_first_lines_say() -> anyhow::Result<()> {
    let mut failures = Vec::new();
    let mut ran = 0;
    for entry in std::fs::read_dir(paths::repository().join("tests/data/run"))? {
        let path = entry?.path();
        if let Err(error) = check(&path) {
            failures.push(format!("{}: {error:#}", path.display()));
        }
        ran += 1;
    }
    ensure!(ran > 0, "tests/data/run is empty");
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

fn check(path: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let said = |key: &str| -> Vec<&str> {
        text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect()
    };
    let words = |key: &str| -> Vec<&str> { said(key).into_iter().flat_map(str::split_whitespace).collect() };
    let lines = |key: &str| -> String { said(key).into_iter().map(|line| format!("{line}\n")).collect() };
    let code: i32 = said(";; expect exit").first().map_or(Ok(0), |code| code.parse()).context("no exit code")?;
    let stderr = said(";; expect stderr").first().copied().unwrap_or_default();

    let file = path.to_str().context("a path in UTF-8")?;
    let mut arguments = vec!["run"];
    arguments.extend(words(";; flags"));
    arguments.extend([file, "--"]);
    arguments.extend(words(";; args"));
    let ended = cumulet(&arguments, lines(";; stdin").as_bytes())?;
    ensure!(ended.code == Some(code), "not {code}: {ended:?}");
    ensure!(ended.stdout == lines(";; expect stdout"), "other output: {ended:?}");
    ensure!(ended.stderr.contains(stderr), "no {stderr:?}: {ended:?}");
    Ok(())
}
