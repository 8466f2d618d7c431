//! Which crate may use which: dependencies go down only, siblings never meet.

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

/// Each crate of the workspace with those of the workspace that it may depend on.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("cumulet-spec", &[]),
    ("cumulet-artifact", &["cumulet-spec"]),
    ("cumulet-compose", &["cumulet-spec"]),
    ("cumulet-meter", &["cumulet-spec"]),
    ("cumulet-control", &["cumulet-spec"]),
    ("cumulet-gateway", &["cumulet-spec"]),
    ("cumulet-engine", &["cumulet-spec"]),
    ("cumulet-provider", &["cumulet-spec"]),
    ("cumulet-capability", &["cumulet-spec", "cumulet-engine", "cumulet-provider"]),
    (
        "cumulet-node",
        &[
            "cumulet-spec",
            "cumulet-artifact",
            "cumulet-compose",
            "cumulet-meter",
            "cumulet-control",
            "cumulet-gateway",
            "cumulet-engine",
            "cumulet-capability",
            "cumulet-provider",
        ],
    ),
    ("cumulet", &["cumulet-spec", "cumulet-node"]),
    // Tools. Nothing may depend on them.
    (
        "cumulet-bench",
        &[
            "cumulet-spec",
            "cumulet-artifact",
            "cumulet-meter",
            "cumulet-control",
            "cumulet-engine",
            "cumulet-capability",
            "cumulet-provider",
            "cumulet-node",
            "cumulet-servers",
        ],
    ),
    ("cumulet-scenarios", &["cumulet-spec", "cumulet-servers", "cumulet-node"]),
    ("cumulet-servers", &[]),
    ("xtask", &[]),
];

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let Some(metadata) = checkout.main() else {
        return Vec::new();
    };
    let members: Vec<&str> = metadata.members().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in metadata.members() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            findings.push(Finding::failure(
                &package.name,
                "this crate is not in the table of allowed edges (xtask/src/tidy/edges.rs)",
            ));
            continue;
        };
        let forbidden = package
            .normal_dependencies()
            .map(|dependency| dependency.name.as_str())
            .filter(|name| members.contains(name) && !allowed.contains(name));
        findings
            .extend(forbidden.map(|name| {
                Finding::failure(&package.name, format!("must not depend on {name}; see ARCHITECTURE.md"))
            }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_never_meet_and_new_crates_are_noticed() {
        let findings = check(&Checkout::of_packages(
            "cumulet-spec    | - | - | serde
             cumulet-meter   | - | - | cumulet-spec cumulet-gateway
             cumulet-gateway | - | - | cumulet-spec dev:cumulet-meter
             cumulet-extra   | - | - | cumulet-spec",
        ));
        let lines: Vec<String> = findings.iter().map(|found| format!("{}: {}", found.place, found.text)).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("cumulet-meter: must not depend on cumulet-gateway"), "{lines:?}");
        assert!(lines[1].starts_with("cumulet-extra: this crate is not in the table"), "{lines:?}");
    }
}
