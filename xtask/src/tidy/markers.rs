//! Notes about work that is not done belong in an issue.

use crate::tidy::Finding;
use crate::tidy::checkout::{Checkout, File};

/// Written in halves, so that this file does not find itself.
const MARKERS: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!"), concat!("unimple", "mented!")];

const ENDINGS: [&str; 7] = [".rs", ".toml", ".sh", ".md", ".wit", ".yml", ".ci/run"];

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    checkout.files.iter().filter(|file| is_ours(file)).flat_map(check_file).collect()
}

/// Test data may say anything.
fn is_ours(file: &File) -> bool {
    ENDINGS.iter().any(|ending| file.path.ends_with(ending))
        && !file.path.split('/').any(|part| part == "data" || part == "vendor")
}

fn check_file(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    let marked = lines.filter_map(|(index, line)| {
        let marker = MARKERS.into_iter().find(|marker| has_word(line, marker))?;
        Some(Finding::failure(file.line(index), format!("finish it or open an issue: `{marker}`")))
    });
    marked.collect()
}

/// Whether `word` stands in `line` by itself.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        !is_part(before) && (word.ends_with('!') || !is_part(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_words() {
        let check = |line: &str, expected: bool| {
            let found = super::check(&Checkout::of_files(&[("crates/spec/src/id.rs", line)]));
            assert_eq!(!found.is_empty(), expected, "{line}");
        };
        check(concat!("// TO", "DO: later"), true);
        check(concat!("// FIX", "ME"), true);
        check(concat!("    to", "do!()"), true);
        check(concat!("const TO", "DOS: u8 = 1;"), false);
        check("plain", false);
    }

    #[test]
    fn test_data_is_left_alone() {
        let text = concat!("TO", "DO");
        assert!(check(&Checkout::of_files(&[("tests/data/notes.md", text)])).is_empty());
    }
}
