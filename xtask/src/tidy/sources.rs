//! Dependencies come from crates.io or lie in this checkout; nothing comes from elsewhere.

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

const CRATES_IO: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let packages = checkout.workspaces.iter().flat_map(|workspace| &workspace.metadata.packages);
    let strange = packages.filter_map(|package| {
        let text = match package.source.as_deref() {
            Some(source) if CRATES_IO.contains(&source) => return None,
            Some(source) => format!("comes from {source}; only crates.io is allowed"),
            None if package.manifest_path.starts_with(&checkout.root) => return None,
            None => format!("lies outside the checkout: {}", package.manifest_path.display()),
        };
        Some(Finding::failure(format!("{} {}", package.name, package.version), text))
    });
    strange.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sources_are_refused() {
        let findings = check(&Checkout::of_packages(
            "ours   | MIT | -
             theirs | MIT | registry+https://github.com/rust-lang/crates.io-index
             forked | MIT | git+https://example.com/forked",
        ));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].place, "forked 1.0.0");
    }

    #[test]
    fn a_path_outside_is_refused() {
        let mut checkout = Checkout::of_packages("ours | MIT | -");
        checkout.root = "/elsewhere".into();
        assert_eq!(check(&checkout).len(), 1);
    }
}
