//! Findings for people at a terminal, for whoever reads lines, and for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use cumulet_node::doctor::{Finding, Group, State};
use serde_json::{Value, json};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Columns of the longest state, and of the longest name of a check.
const STATE_WIDTH: usize = 7;
const CHECK_WIDTH: usize = 21;

/// Everything, by group; reasons and next steps where something is not as it should be.
pub(super) fn table(findings: &[Finding]) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    for group in Group::ALL {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#}", group.label());
        for finding in findings.iter().filter(|finding| finding.group == group) {
            let style = style(finding.state);
            let (state, check, found) = (finding.state.label(), finding.check, &finding.found);
            let _ = writeln!(text, "  {style}{state:STATE_WIDTH$}{style:#}  {check:CHECK_WIDTH$}  {found}");
            if finding.state == State::Ok {
                continue;
            }
            let indent = " ".repeat(STATE_WIDTH + CHECK_WIDTH + 6);
            let _ = writeln!(text, "{indent}{DIM}{}{DIM:#}", finding.why);
            if let Some(next) = &finding.next {
                let _ = writeln!(text, "{indent}next: {next}");
            }
        }
        text.push('\n');
    }
    let count = |state: State| findings.iter().filter(|finding| finding.state == state).count();
    let counts = [State::Ok, State::Weak, State::Missing, State::Unknown]
        .map(|state| format!("{} {}", count(state), state.label()));
    text + &counts.join(", ")
}

/// One line of everything, for logs and `grep`.
pub(super) fn line(finding: &Finding) -> String {
    let (state, group, check) = (finding.state.label(), finding.group.label(), finding.check);
    let next = finding.next.as_ref().map(|next| format!(" (next: {next})")).unwrap_or_default();
    format!("{state} {group}/{check}: {}{next}", finding.found)
}

pub(super) fn json(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "group": finding.group.label(),
        "state": finding.state.label(),
        "found": finding.found,
        "why": finding.why,
        "next": finding.next,
    })
}

fn style(state: State) -> Style {
    match state {
        State::Ok => AnsiColor::Green.on_default(),
        State::Weak => AnsiColor::Yellow.on_default(),
        State::Missing => AnsiColor::Red.on_default().bold(),
        State::Unknown => DIM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_by_group() {
        let finding = |check, group, state, next: Option<&str>| Finding {
            check,
            group,
            state,
            found: "what is there".to_owned(),
            why: "it matters",
            next: next.map(str::to_owned),
        };
        let table = table(&[
            finding("swap", Group::Isolation, State::Ok, None),
            finding("open-files", Group::Limits, State::Weak, Some("raise it")),
            finding("data-folder", Group::Storage, State::Missing, Some("make it")),
            finding("clock", Group::Network, State::Unknown, None),
        ]);
        insta::assert_snapshot!(anstream::adapter::strip_str(&table).to_string());
    }
}
