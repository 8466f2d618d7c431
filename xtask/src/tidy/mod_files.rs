//! A module with children is `foo.rs` beside `foo/`, so that a file's name says what it is.

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let found = checkout.rust().filter(|file| file.name() == "mod.rs");
    found.map(|file| Finding::failure(&file.path, "name it after its folder, beside it")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_name_is_found() {
        let files = Checkout::of_files(&[("crates/spec/src/id/mod.rs", ""), ("crates/spec/src/id.rs", "")]);
        assert_eq!(check(&files).len(), 1);
    }
}
