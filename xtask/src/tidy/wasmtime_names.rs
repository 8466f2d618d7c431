//! Only `engine` and `capability` name wasmtime, so that its churn stays in two rooms.

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

/// The bench measures bare wasmtime beside us.
const MAY: [&str; 3] = ["cumulet-engine", "cumulet-capability", "cumulet-bench"];

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let Some(metadata) = checkout.main() else {
        return Vec::new();
    };
    let others = metadata.members().filter(|package| !MAY.contains(&package.name.as_str()));
    others
        .flat_map(|package| package.dependencies.iter().map(move |dependency| (package, dependency)))
        .filter(|(_, dependency)| dependency.name == "wasmtime" || dependency.name.starts_with("wasmtime-"))
        .map(|(package, dependency)| {
            Finding::failure(&package.name, format!("names {}; only engine and capability may", dependency.name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_may_not_name_it_even_in_tests() {
        let findings = check(&Checkout::of_packages(
            "cumulet-engine | - | - | wasmtime
             cumulet-node   | - | - | dev:wasmtime-wasi wat",
        ));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].place, "cumulet-node");
    }
}
