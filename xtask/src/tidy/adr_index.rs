//! Every decision record stands in the index, under a number of its own.

use std::collections::BTreeMap;

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

const FOLDER: &str = "docs/adr/";
const INDEX: &str = "docs/adr/README.md";

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let index = checkout.files.iter().find(|file| file.path == INDEX).map_or("", |file| &file.text);
    let mut by_number: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for file in &checkout.files {
        let Some(name) = file.path.strip_prefix(FOLDER).filter(|name| name.ends_with(".md")) else {
            continue;
        };
        let Some(number) = number(name) else { continue };
        if !index.contains(&format!("({name})")) {
            findings.push(Finding::failure(&file.path, format!("is not linked in {INDEX}")));
        }
        if let Some(other) = by_number.insert(number, name) {
            findings.push(Finding::failure(&file.path, format!("has the number of {other}")));
        }
    }
    findings
}

/// The four digits that a record's name starts with; 0000 is the template.
fn number(name: &str) -> Option<&str> {
    let (number, _) = name.split_once('-')?;
    (number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()) && number != "0000").then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_listed_once() {
        let findings = check(&Checkout::of_files(&[
            (INDEX, "| [0001](0001-a.md) |"),
            ("docs/adr/0000-template.md", ""),
            ("docs/adr/0001-a.md", ""),
            ("docs/adr/0001-b.md", ""),
        ]));
        let texts: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
        assert_eq!(texts, ["is not linked in docs/adr/README.md", "has the number of 0001-a.md"]);
    }
}
