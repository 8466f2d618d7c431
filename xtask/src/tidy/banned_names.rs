//! Names that say nothing about what is inside.

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

const BANNED: [&str; 8] = ["common", "core", "util", "utils", "helper", "helpers", "misc", "types"];

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let modules = checkout.rust().flat_map(|file| {
        let parts = file.path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part));
        parts.filter(|part| BANNED.contains(part)).map(|part| says_nothing(&file.path, part))
    });
    let packages = checkout.workspaces.iter().flat_map(|workspace| workspace.metadata.members());
    let crates = packages.filter_map(|package| {
        let mut words = package.name.split(['-', '_']);
        let banned = words.next_back().filter(|word| BANNED.contains(word))?;
        Some(says_nothing(&package.name, banned))
    });
    modules.chain(crates).collect()
}

fn says_nothing(place: &str, name: &str) -> Finding {
    Finding::failure(place, format!("the name `{name}` says nothing: name it by its one concept"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_folders_and_crates_are_looked_at() {
        let files = Checkout::of_files(&[
            ("crates/spec/src/types.rs", ""),
            ("crates/node/tests/common/server.rs", ""),
            ("crates/spec/src/subtypes.rs", ""),
        ]);
        assert_eq!(check(&files).len(), 2);
        let crates = Checkout::of_packages("cumulet-core | - | -\ncumulet-spec | - | -");
        assert_eq!(check(&crates).len(), 1);
    }
}
