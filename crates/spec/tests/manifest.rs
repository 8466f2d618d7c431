//! Manifests as files: each under `data/manifest/good` is read into what its snapshot shows, each under
//! `data/manifest/bad` gives the problems that its snapshot shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use cumulet_spec::grant::Capability;
use cumulet_spec::manifest::{Manifest, Problem};
use proptest::prelude::*;

fn cases(kind: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/manifest").join(kind);
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
fn a_good_manifest_is_read() {
    for (path, text) in cases("good") {
        let manifest = Manifest::parse(&text).unwrap_or_else(|error| {
            panic!("{}:\n{}", path.display(), render(&text, &error.problems));
        });
        let warnings = render(&text, &manifest.warnings);
        let without_spans = Manifest { warnings: Vec::new(), ..manifest };
        check(&path, &format!("{}\n{without_spans:#?}\n", warnings).replace("    ", "  "));
    }
}

#[test]
fn every_problem_of_a_bad_manifest_is_told() {
    for (path, text) in cases("bad") {
        let error = Manifest::parse(&text).expect_err(&path.display().to_string());
        check(&path, &render(&text, &error.problems));
    }
}

#[test]
fn spans_lead_to_what_they_name() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/manifest/good/full.toml")).unwrap();
    let manifest = Manifest::parse(&text).unwrap();
    let spans = &manifest.components["front"].spans;
    assert_eq!(&text[spans.name.clone()], "front");
    assert_eq!(&text[spans.source.clone()], "\"target/wasm32-wasip2/release/front.wasm\"");
    for capability in Capability::ALL {
        assert_eq!(&text[spans.grant[&capability].clone()], capability.label());
    }
    assert_eq!(&text[spans.link["acme:auth/verify"].clone()], "\"acme:auth/verify\"");
}

#[test]
fn a_manifest_is_bounded() {
    let problem = |text: &str| Manifest::parse(text).unwrap_err().problems[0].message.clone();
    assert_eq!(problem(&"#".repeat(2 << 20)), "the manifest is larger than 1048576 bytes");
    let head = ["manifest = 1\napp = { name = \"a\" }\n".to_owned()];
    let component = |number| format!("[component.c{number}]\nsource = \"c.wasm\"\n");
    let text: String = head.into_iter().chain((0..300).map(component)).collect();
    assert_eq!(problem(&text), "the manifest has more than 256 components");
}

proptest! {
    /// A manifest with a piece cut out or doubled is read or refused, never a panic, and every problem lies in it.
    #[test]
    fn a_damaged_manifest_never_panics(start in 0_usize..2600, length in 0_usize..80, doubled: bool) {
        let text = include_str!("data/manifest/good/full.toml");
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(start + length).max(start);
        let middle = if doubled { text[start..end].repeat(2) } else { String::new() };
        let damaged = format!("{}{middle}{}", &text[..start], &text[end..]);
        let problems = match Manifest::parse(&damaged) {
            Ok(manifest) => manifest.warnings,
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
