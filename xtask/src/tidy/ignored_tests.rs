//! A test that nobody runs is not a test.

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;
use crate::tidy::rust_code;

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in checkout.rust() {
        let code = rust_code::without_text(&file.text);
        for (index, line) in code.lines().enumerate() {
            let squeezed: String = line.split_whitespace().collect();
            if squeezed.contains("#[ignore") {
                findings.push(Finding::failure(
                    file.line(index),
                    "run the test, delete it, or let it note what is missing (see CONTRIBUTING.md)",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_attribute_counts() {
        let text = "// #[ignore]\n#[test]\n#[ignore = \"slow\"]\nfn f() { let s = \"#[ignore]\"; }\n";
        let findings = check(&Checkout::of_files(&[("crates/spec/src/id.rs", text)]));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].place, "crates/spec/src/id.rs:3");
    }
}
