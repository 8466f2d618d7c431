//! Reading values out of TOML: each step that fails leaves a problem with its place, and reading goes on.

use std::fmt::Display;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::Problem;

/// A value of a document and where it stands.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;

/// What has been found so far.
#[derive(Debug)]
pub(crate) struct Findings {
    /// What the document is called in messages, as in `the manifest`.
    pub(crate) document: &'static str,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// A piece of text and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Range<usize>,
}

/// A table under its full name, as in `component.front.limit`; the root has an empty one.
#[derive(Debug, Clone)]
pub(crate) struct Section<'a, 'i> {
    pub(crate) name: String,
    pub(crate) table: &'a DeTable<'i>,
    /// The place that stands for the table as a whole.
    pub(crate) span: Range<usize>,
}

impl Findings {
    pub(crate) fn new(document: &'static str) -> Self {
        Self { document, problems: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn warn(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }

    /// The value as what `as_type` takes out of it, or a problem that says what was expected.
    fn expect<'a, 'i, T>(
        &mut self,
        value: &'a Value<'i>,
        name: &str,
        expected: &str,
        as_type: impl FnOnce(&'a DeValue<'i>) -> Option<T>,
    ) -> Option<T> {
        let found = as_type(value.get_ref());
        if found.is_none() {
            let kind = with_article(value.get_ref().type_str());
            self.problem(Problem::new(value.span(), format!("{name} must be {expected}, not {kind}")));
        }
        found
    }

    /// Text; `expected` says what kind, for example ``text, such as `"10s"` ``.
    pub(crate) fn text<'a>(&mut self, value: &'a Value<'_>, name: &str, expected: &str) -> Option<Text<'a>> {
        let text = self.expect(value, name, expected, DeValue::as_str)?;
        Some(Text { text, span: value.span() })
    }

    /// Text that is not empty.
    pub(crate) fn filled<'a>(&mut self, value: &'a Value<'_>, name: &str, expected: &str) -> Option<Text<'a>> {
        let text = self.text(value, name, expected)?;
        if text.text.trim().is_empty() {
            self.problem(Problem::new(text.span, format!("{name} is empty")).with_help(format!("write {expected}")));
            return None;
        }
        Some(text)
    }

    pub(crate) fn list<'a, 'i>(&mut self, value: &'a Value<'i>, name: &str, expected: &str) -> Option<&'a DeArray<'i>> {
        self.expect(value, name, expected, DeValue::as_array)
    }

    pub(crate) fn flag(&mut self, value: &Value<'_>, name: &str) -> Option<bool> {
        self.expect(value, name, "`true` or `false`", DeValue::as_bool)
    }

    /// A whole number from 1 to `max`.
    pub(crate) fn count(&mut self, value: &Value<'_>, name: &str, max: u32) -> Option<u32> {
        let integer = self.expect(value, name, "a whole number", DeValue::as_integer)?;
        let count = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let count = count.filter(|count| (1..=max).contains(count));
        if count.is_none() {
            self.problem(Problem::new(value.span(), format!("{name} must be from 1 to {max}")));
        }
        count
    }

    pub(crate) fn section<'a, 'i>(
        &mut self,
        value: &'a Value<'i>,
        name: &str,
        expected: &str,
    ) -> Option<Section<'a, 'i>> {
        let table = self.expect(value, &format!("`{name}`"), expected, DeValue::as_table)?;
        Some(Section { name: name.to_owned(), table, span: value.span() })
    }

    /// The text as what `parse` makes of it; its error becomes the problem.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        text: &Text<'_>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(text.text).map_err(|error| self.problem(Problem::new(text.span.clone(), error.to_string()))).ok()
    }
}

impl<'a, 'i> Section<'a, 'i> {
    /// The value of a key, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value<'i>> {
        self.table.get(key)
    }

    /// The place of a key, or that of the whole table.
    pub(crate) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// The place of a key's value, or that of the whole table.
    pub(crate) fn value_span(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// A key's name in messages.
    pub(crate) fn named(&self, key: &str) -> String {
        if self.name.is_empty() { format!("`{key}`") } else { format!("`{key}` in `{}`", self.name) }
    }

    /// The value of a key, or a problem that it is missing.
    pub(crate) fn require(&self, key: &str, example: &str, findings: &mut Findings) -> Option<&'a Value<'i>> {
        let value = self.get(key);
        if value.is_none() {
            let of = if self.name.is_empty() { findings.document.to_owned() } else { format!("`{}`", self.name) };
            findings.problem(
                Problem::new(self.span.clone(), format!("{of} has no `{key}`")).with_help(format!("add `{example}`")),
            );
        }
        value
    }

    /// A problem for each key that is none of these.
    pub(crate) fn check_keys(&self, known: &[&str], findings: &mut Findings) {
        for (key, _) in self.table.iter() {
            if known.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let help = match nearest(key.get_ref(), known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys are {}", list_of(known.iter().copied())),
            };
            let message = format!("unknown key {}", self.named(key.get_ref()));
            findings.problem(Problem::new(key.span(), message).with_help(help));
        }
    }
}

/// The candidate that was probably meant, if any is near.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word.to_lowercase(), candidate);
    let (near, steps) =
        candidates.into_iter().map(|candidate| (candidate, distance(candidate))).min_by_key(|(_, steps)| *steps)?;
    (steps <= 1 + word.chars().count() / 3).then_some(near)
}

/// `` `a`, `b`, `c` ``.
pub(crate) fn list_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_word_is_proposed() {
        let known = ["source", "build", "grant", "limit"];
        for (word, expect) in [
            ("sorce", Some("source")),
            ("grants", Some("grant")),
            ("Limit", Some("limit")),
            ("lmiit", Some("limit")),
            ("memory", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expect, "{word}");
        }
    }
}
