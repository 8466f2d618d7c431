//! Configurations of nodes as files: each under `data/node/good` is read into what its snapshot shows, each under
//! `data/node/bad` gives the problems that its snapshot shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use cumulet_spec::manifest::Problem;
use cumulet_spec::node::NodeConfig;
use proptest::prelude::*;

fn cases(kind: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/node").join(kind);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    assert!(!paths.is_empty());
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn check(path: &Path, found: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), found));
}

fn render(text: &str, problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let quoted = text[problem.span.clone()].lines().next().unwrap_or_default();
        let help = problem.help.as_ref().map(|help| format!("\n     help: {help}")).unwrap_or_default();
        format!("{} {}\n       at: {quoted}{help}\n", problem.position(text), problem.message)
    };
    problems.iter().map(line).collect()
}

#[test]
fn a_good_configuration_is_read() {
    for (path, text) in cases("good") {
        let config = NodeConfig::parse(&text).unwrap_or_else(|error| {
            panic!("{}:\n{}", path.display(), render(&text, &error.problems));
        });
        let warnings = render(&text, &config.warnings);
        let without_spans = NodeConfig { warnings: Vec::new(), ..config };
        check(&path, &format!("{warnings}\n{without_spans:#?}\n").replace("    ", "  "));
    }
}

#[test]
fn every_problem_of_a_bad_configuration_is_told() {
    for (path, text) in cases("bad") {
        let error = NodeConfig::parse(&text).expect_err(&path.display().to_string());
        check(&path, &render(&text, &error.problems));
    }
}

#[test]
fn a_configuration_is_bounded() {
    let error = NodeConfig::parse(&"#".repeat(5 << 20)).unwrap_err();
    assert_eq!(error.to_string(), "the node's configuration is larger than 4194304 bytes");
}

proptest! {
    /// A configuration with a piece cut out or doubled is read or refused, never a panic, and every problem lies in it.
    #[test]
    fn a_damaged_configuration_never_panics(start in 0_usize..700, length in 0_usize..80, doubled: bool) {
        let text = include_str!("data/node/good/full.toml");
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(start + length).max(start);
        let middle = if doubled { text[start..end].repeat(2) } else { String::new() };
        let damaged = format!("{}{middle}{}", &text[..start], &text[end..]);
        let problems = match NodeConfig::parse(&damaged) {
            Ok(config) => config.warnings,
            Err(error) => {
                prop_assert!(!error.problems.is_empty());
                error.problems
            }
        };
        for problem in problems {
            prop_assert!(damaged.get(problem.span.clone()).is_some(), "{:?}", problem);
        }
    }
}
