//! Every dependency has a licence that `deny.toml` allows.

use toml::Table;

use crate::tidy::Finding;
use crate::tidy::checkout::Checkout;

const LIST: &str = "deny.toml";

pub(super) fn check(checkout: &Checkout) -> Vec<Finding> {
    let text = checkout.files.iter().find(|file| file.path == LIST).map_or("", |file| &file.text);
    let Some(allowed) = allow_list(text) else {
        return vec![Finding::failure(LIST, "has no list `licenses.allow`")];
    };
    let packages = checkout.workspaces.iter().flat_map(|workspace| &workspace.metadata.packages);
    let refused = packages.filter_map(|package| {
        let text = match package.license.as_deref() {
            None => "names no licence".to_owned(),
            Some(licence) if is_allowed(licence, &allowed) => return None,
            Some(licence) => format!("its licence is not allowed in {LIST}: {licence}"),
        };
        Some(Finding::failure(format!("{} {}", package.name, package.version), text))
    });
    refused.collect()
}

fn allow_list(text: &str) -> Option<Vec<String>> {
    let table: Table = text.parse().ok()?;
    let list = table.get("licenses")?.get("allow")?.as_array()?;
    Some(list.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect())
}

/// Whether an SPDX expression can be met with the allowed licences.
///
/// Knows `AND`, `OR`, `WITH`, parentheses, and the `/` that old manifests use for `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allowed };
    let met = parser.any();
    met && parser.words.is_empty()
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> bool {
        let mut met = self.all();
        while self.skip("OR") {
            met |= self.all();
        }
        met
    }

    fn all(&mut self) -> bool {
        let mut met = self.one();
        while self.skip("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.skip("(") {
            let met = self.any();
            return met && self.skip(")");
        }
        let Some(name) = self.next() else {
            return false;
        };
        let licence = if self.skip("WITH") {
            format!("{name} WITH {}", self.next().unwrap_or_default())
        } else {
            name.to_owned()
        };
        self.allowed.contains(&licence)
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn skip(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.next();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::checkout::File;

    #[test]
    fn expressions_are_met_or_not() {
        let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception", "ISC"].map(String::from);
        let check = |expression: &str, expected: bool| {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        };
        check("MIT", true);
        check("GPL-3.0", false);
        check("GPL-3.0 OR MIT", true);
        check("GPL-3.0/MIT", true);
        check("MIT AND GPL-3.0", false);
        check("(GPL-3.0 OR MIT) AND ISC", true);
        check("MIT AND (ISC AND GPL-3.0)", false);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("Apache-2.0", false);
        check("MIT ISC", false);
        check("", false);
    }

    #[test]
    fn packages_are_held_against_the_list() {
        let mut checkout = Checkout::of_packages("good | MIT | r\nbad | GPL-3.0 | r\nnone | - | r");
        let text = "[licenses]\nallow = [\"MIT\"]\n".to_owned();
        checkout.files.push(File { path: LIST.to_owned(), text });
        let places: Vec<String> = check(&checkout).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["bad 1.0.0", "none 1.0.0"]);
    }
}
