//! The rules of the house that no compiler checks. Each rule is a file of its own and a pure
//! function from the checkout to its findings.

mod adr_index;
mod banned_names;
mod checkout;
mod duplicates;
mod edges;
mod ignored_tests;
mod licences;
mod links;
mod markers;
mod mod_files;
mod rust_code;
mod sizes;
mod sources;
mod unsafe_code;
mod wasmtime_names;
mod workspace_tables;

use anyhow::bail;

use crate::repository::Repository;
use crate::tidy::checkout::Checkout;

/// A breach of a rule, or something worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    weight: Weight,
    /// A path from the root with an optional line, or a crate's name.
    place: String,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Ends the run with a failure.
    Failure,
    /// Is only printed.
    Note,
}

impl Finding {
    fn failure(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { weight: Weight::Failure, place: place.into(), text: text.into() }
    }

    fn note(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { weight: Weight::Note, place: place.into(), text: text.into() }
    }
}

type Rule = fn(&Checkout) -> Vec<Finding>;

const RULES: [(&str, Rule); 14] = [
    ("edges", edges::check),
    ("wasmtime-names", wasmtime_names::check),
    ("workspace-tables", workspace_tables::check),
    ("sizes", sizes::check),
    ("banned-names", banned_names::check),
    ("mod-files", mod_files::check),
    ("ignored-tests", ignored_tests::check),
    ("markers", markers::check),
    ("unsafe-code", unsafe_code::check),
    ("links", links::check),
    ("adr-index", adr_index::check),
    ("licences", licences::check),
    ("sources", sources::check),
    ("duplicates", duplicates::check),
];

/// Checks every rule and prints what it found.
///
/// # Errors
/// When a rule is broken.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<()> {
    let checkout = Checkout::read(repository)?;
    let mut failures = 0_usize;
    for (rule, check) in RULES {
        for finding in check(&checkout) {
            let label = match finding.weight {
                Weight::Failure => {
                    failures += 1;
                    "error"
                }
                Weight::Note => "note",
            };
            println!("{label}[{rule}] {}: {}", finding.place, finding.text);
        }
    }
    if failures > 0 {
        bail!("tidy found {failures} breaches of the rules");
    }
    println!("tidy: {} rules hold over {} files", RULES.len(), checkout.files.len());
    Ok(())
}
