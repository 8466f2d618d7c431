//! Documents in TOML that people write: read with all their problems at once, each with its place.

mod problem;
mod read;

use toml::Spanned;
use toml::de::DeTable;

pub use problem::{Position, Problem};
pub(crate) use read::{Findings, Section, Value, list_of, nearest};

/// Reads a document of at most `bytes_max` bytes with `read_root`; `None` when it is not one.
pub(crate) fn read<T>(
    text: &str,
    bytes_max: usize,
    findings: &mut Findings,
    read_root: impl FnOnce(&Section<'_, '_>, &mut Findings) -> Option<T>,
) -> Option<T> {
    let found = read_text(text, bytes_max, findings, read_root);
    findings.problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    findings.warnings.sort_by_key(|warning| (warning.span.start, warning.span.end));
    found
}

fn read_text<T>(
    text: &str,
    bytes_max: usize,
    findings: &mut Findings,
    read_root: impl FnOnce(&Section<'_, '_>, &mut Findings) -> Option<T>,
) -> Option<T> {
    if text.len() > bytes_max {
        let message = format!("{} is larger than {bytes_max} bytes", findings.document);
        findings.problem(Problem::new(0..0, message));
        return None;
    }
    let (root, errors): (Spanned<DeTable<'_>>, _) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What the syntax makes unclear would only give problems that are none.
        findings.problems.extend(errors.iter().map(syntax_problem));
        return None;
    }
    read_root(&Section { name: String::new(), table: root.get_ref(), span: 0..0 }, findings)
}

fn syntax_problem(error: &toml::de::Error) -> Problem {
    let message = error.message().lines().next().unwrap_or("invalid TOML").to_owned();
    let help: Vec<_> = error.message().lines().skip(1).filter(|line| !line.is_empty()).collect();
    let problem = Problem::new(error.span().unwrap_or_default(), message);
    if help.is_empty() { problem } else { problem.with_help(help.join(", ")) }
}

/// Whether the rest can be read: `key` states the version of the form, and one with another number may mean anything.
pub(crate) fn is_known_format(root: &Section<'_, '_>, key: &str, format: i64, findings: &mut Findings) -> bool {
    let form = format!("{key} = {format}");
    let Some(value) = root.require(key, &form, findings) else {
        return true;
    };
    let found = value.get_ref().as_integer();
    let number = found.and_then(|found| i64::from_str_radix(found.as_str(), found.radix()).ok());
    match number {
        Some(number) if number == format => true,
        Some(other) => {
            let message = format!("version {other} of {} is not known", findings.document);
            let help = format!("this program reads version {format}: `{form}`");
            findings.problem(Problem::new(value.span(), message).with_help(help));
            false
        }
        None => {
            let message = format!("`{key}` must be the number {format}");
            findings.problem(Problem::new(value.span(), message).with_help(format!("`{form}`")));
            true
        }
    }
}
