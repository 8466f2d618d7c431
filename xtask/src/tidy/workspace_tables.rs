//! A crate takes its dependencies and lints from the workspace, so that each version is written once.

use toml::{Table, Value};

use crate::tidy::Finding;
use crate::tidy::checkout::{Checkout, File};

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let manifests = checkout
        .files
        .iter()
        .filter(|file| file.name() == "Cargo.toml" && file.path != "Cargo.toml" && !file.is_guest());
    manifests.flat_map(check_manifest).collect()
}

fn check_manifest(file: &File) -> Vec<Finding> {
    let manifest: Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            return vec![Finding::failure(&file.path, format!("is not valid TOML: {error}"))];
        }
    };
    let mut findings = Vec::new();
    if !is_inherited(manifest.get("lints")) {
        findings.push(Finding::failure(&file.path, "write `[lints] workspace = true`"));
    }
    let by_platform = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    for table in by_platform.filter_map(Value::as_table).chain([&manifest]) {
        let dependencies = KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table()).flat_map(Table::iter);
        for (name, value) in dependencies {
            if !is_inherited(Some(value)) {
                findings.push(Finding::failure(
                    &file.path,
                    format!("write `{name}.workspace = true`; versions stand in the root Cargo.toml"),
                ));
            }
        }
    }
    findings
}

fn is_inherited(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let checkout = Checkout::of_files(&[("crates/spec/Cargo.toml", text)]);
        check(&checkout).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn own_versions_are_found_in_every_table() {
        let found = check_text(
            "lints.workspace = true\n[dependencies]\nserde.workspace = true\nhttp = \"1\"\n\
             [target.'cfg(unix)'.dev-dependencies]\nlibc = { version = \"0.2\" }\n",
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("libc.workspace"), "{found:?}");
        assert!(found[1].contains("http.workspace"), "{found:?}");
    }

    #[test]
    fn lints_must_be_inherited() {
        assert_eq!(check_text("[dependencies]\n"), ["write `[lints] workspace = true`"]);
    }
}
