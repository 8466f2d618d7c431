//! Crates that are built in more than one version: said, not refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::Finding;
use crate::tidy::checkout::{Checkout, Workspace};

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    checkout.workspaces.iter().filter_map(report).collect()
}

fn report(workspace: &Workspace) -> Option<Finding> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &workspace.metadata.packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let is_platform_only = |name: &str| name.starts_with("windows");
    let several: Vec<String> = versions
        .iter()
        .filter(|(name, versions)| versions.len() > 1 && !is_platform_only(name))
        .map(|(name, versions)| format!("{name} ({})", versions.iter().copied().collect::<Vec<_>>().join(", ")))
        .collect();
    let place = if workspace.folder.is_empty() { "workspace" } else { &workspace.folder };
    (!several.is_empty())
        .then(|| Finding::note(place, format!("{} crates in several versions: {}", several.len(), several.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Weight;

    #[test]
    fn versions_are_told_apart() {
        let findings =
            check(&Checkout::of_packages("rand@0.8.5 | MIT | r\nrand@0.9.1 | MIT | r\nhttp@1.4.0 | MIT | r"));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].weight, Weight::Note);
        assert!(findings[0].text.contains("rand (0.8.5, 0.9.1)"), "{findings:?}");
    }
}
