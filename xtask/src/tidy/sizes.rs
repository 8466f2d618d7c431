//! Files stay small enough to be read in one go.

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

const LINES_NOTE: usize = 400;
const LINES_MAX: usize = 800;

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    checkout.rust().filter_map(|file| weigh(&file.path, file.text.lines().count())).collect()
}

fn weigh(path: &str, lines: usize) -> Option<Finding> {
    let text = format!("{lines} lines; think about splitting above {LINES_NOTE}, split above {LINES_MAX}");
    if lines > LINES_MAX {
        return Some(Finding::failure(path, text));
    }
    (lines > LINES_NOTE).then(|| Finding::note(path, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Weight;

    #[test]
    fn the_weight_grows_with_the_file() {
        let check = |lines: usize, expected: Option<Weight>| {
            let text = "\n".repeat(lines);
            let found = super::check(&Checkout::of_files(&[("crates/spec/src/id.rs", &text)]));
            assert_eq!(found.first().map(|finding| finding.weight), expected, "{lines} lines");
        };
        check(400, None);
        check(401, Some(Weight::Note));
        check(800, Some(Weight::Note));
        check(801, Some(Weight::Failure));
    }
}
