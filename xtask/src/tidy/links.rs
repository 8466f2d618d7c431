//! Every relative link in a document leads to a file of the project.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::checkout::{Checkout, File};

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let mut places: BTreeSet<&str> = BTreeSet::from([""]);
    for file in &checkout.files {
        places.insert(&file.path);
        places.extend(file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at)));
    }
    let documents = checkout.files.iter().filter(|file| file.path.ends_with(".md"));
    documents.flat_map(|file| check_document(file, &places)).collect()
}

fn check_document(file: &File, places: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fenced = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for target in targets(line) {
            if !leads_somewhere(&file.path, target, places) {
                findings.push(Finding::failure(file.line(index), format!("the link `{target}` leads nowhere")));
            }
        }
    }
    findings
}

/// The targets of the links in a line: `[text](target)` and `[label]: target`.
fn targets(line: &str) -> Vec<&str> {
    // What stands between backquotes is code.
    let prose = line.split('`').step_by(2);
    let mut found: Vec<&str> = prose
        .flat_map(|text| text.split("](").skip(1))
        .filter_map(|tail| tail.split(')').next()?.split_whitespace().next())
        .collect();
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        found.extend(target.split_whitespace().next());
    }
    found
}

fn leads_somewhere(document: &str, target: &str, places: &BTreeSet<&str>) -> bool {
    if target.starts_with('#') || target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let path = target.split('#').next().unwrap_or_default();
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    places.contains(parts.join("/").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed() {
        let check = |line: &str, expected: &[&str]| {
            let files = [("docs/adr/README.md", line), ("docs/adr/0001-a.md", ""), ("LICENSE", "")];
            let found: Vec<String> =
                super::check(&Checkout::of_files(&files)).into_iter().map(|finding| finding.text).collect();
            let expected: Vec<String> =
                expected.iter().map(|target| format!("the link `{target}` leads nowhere")).collect();
            assert_eq!(found, expected, "{line}");
        };
        check("[a](0001-a.md#cost) [b](../../LICENSE) [c](..) [d](https://x.y/z) [e](#here)", &[]);
        check("[a](0002-b.md) and [b](../LICENSE)", &["0002-b.md", "../LICENSE"]);
        check("[a]: gone.md", &["gone.md"]);
        check("[out](../../../x.md)", &["../../../x.md"]);
        check("`[a](gone.md)`", &[]);
        check("```\n[a](gone.md)\n```", &[]);
    }
}
