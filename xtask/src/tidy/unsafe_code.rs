//! `unsafe` stays in two files that map memory; guests have theirs, for their exports.

use crate::tidy::Finding;
use crate::tidy::checkout::{Checkout, File};
use crate::tidy::rust_code;

/// The file that maps the ring of usage records.
const LEDGER: &str = "crates/meter/src/ledger/mapped.rs";
const ENGINE: &str = "crates/engine/src/";

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let using = checkout.rust().filter(|file| !file.is_guest() && file.path != LEDGER && is_using(file));
    let (engine, elsewhere): (Vec<&File>, Vec<&File>) = using.partition(|file| file.path.starts_with(ENGINE));
    let mut findings: Vec<Finding> = elsewhere
        .iter()
        .map(|file| Finding::failure(&file.path, format!("`unsafe` outside the engine and {LEDGER}")))
        .collect();
    if engine.len() > 1 {
        findings.extend(engine.iter().map(|file| {
            Finding::failure(&file.path, format!("one of {} files with `unsafe`: one is allowed", engine.len()))
        }));
    }
    findings
}

fn is_using(file: &File) -> bool {
    let code = rust_code::without_text(&file.text);
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
}

#[cfg(test)]
mod tests {
    use super::*;

    const USE: &str = "fn f() { unsafe { g() } }";

    #[test]
    fn one_file_of_the_engine_and_one_of_the_ledger_may() {
        let check = |files: &[(&str, &str)], expected: usize| {
            let found = super::check(&Checkout::of_files(files));
            assert_eq!(found.len(), expected, "{found:?}");
        };
        check(&[("crates/engine/src/map.rs", USE), (LEDGER, USE)], 0);
        check(&[("crates/engine/src/map.rs", USE), ("crates/engine/src/class.rs", USE)], 2);
        check(&[("crates/node/src/invoke.rs", USE)], 1);
        check(&[("crates/meter/src/ledger/ring.rs", USE)], 1);
        check(&[("tests/guests/spin/src/lib.rs", USE)], 0);
        check(&[("crates/node/src/lib.rs", "#![deny(unsafe_code)] // unsafe\nconst S: &str = \"unsafe\";")], 0);
    }
}
