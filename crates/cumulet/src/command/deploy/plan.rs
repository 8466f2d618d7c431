//! What a deploy would change, for people and for programs.

use cumulet_spec::api::{GrantLine, Plan, PlanKind};
use cumulet_spec::id::AppName;
use indicatif::BinaryBytes;
use serde_json::{Value, json};

use super::event;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::table;
use crate::terminal::Terminal;

/// The most grants that a failure names.
const GRANTS_NAMED_MAX: usize = 20;

/// A row: what becomes of what, of which component, from what to what.
type Row = [String; 5];

/// The plan as one line.
pub(super) fn event_of(plan: &Plan) -> Value {
    event("plan", json!(plan))
}

/// Prints what would change.
pub(super) fn show(plan: &Plan, app: &AppName, terminal: Terminal) {
    if terminal.is_json() {
        terminal.json(&event_of(plan));
        return;
    }
    let rows = rows(plan);
    if rows.is_empty() {
        let text = if plan.changes { "values of configuration, or the version's name" } else { "nothing" };
        terminal.data(&format!("{app}: {text} would change"));
    } else {
        terminal.data(&table::of_names(["CHANGE", "WHAT", "COMPONENT", "BEFORE", "AFTER"], rows).join("\n"));
    }
    match plan.missing.len() {
        0 => terminal.note("nothing was changed; the node has every component"),
        1 => terminal.note("nothing was changed; 1 component would be sent"),
        many => terminal.note(&format!("nothing was changed; {many} components would be sent")),
    }
}

/// Shows the grants that would be gained, and asks whether they may be; nothing where there is nobody to ask.
pub(super) fn ask(plan: &Plan, terminal: Terminal) -> Option<bool> {
    if !terminal.is_interactive() {
        return None;
    }
    let rows =
        plan.gained.iter().map(|line| [line.component.to_string(), line.capability.to_string(), line.entry.clone()]);
    for line in table::of_names(["COMPONENT", "NEW GRANT", "ENTRY"], rows) {
        terminal.aside(&line);
    }
    terminal.confirm("deploy it with these grants?")
}

/// The refusal where there is nobody to ask.
pub(super) fn unaccepted(plan: &Plan) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, "nothing was deployed: the app would gain grants");
    let named = plan.gained.iter().take(GRANTS_NAMED_MAX);
    let failure = named.fold(failure, |failure, line| {
        failure.why(format!("`{}` would gain {} {}", line.component, line.capability, line.entry))
    });
    let failure = match plan.gained.len().saturating_sub(GRANTS_NAMED_MAX) {
        0 => failure,
        more => failure.why(format!("and {more} more: see --dry-run")),
    };
    failure.next("accept them with --accept-grants")
}

fn rows(plan: &Plan) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let size = |bytes: Option<u64>| bytes.map_or_else(String::new, |bytes| BinaryBytes(bytes).to_string());
    for one in &plan.components {
        let (before, after) = (size(one.bytes_before), size(one.bytes_after));
        rows.push(row(kind(one.kind), "component", one.component.as_str(), (before, after)));
    }
    let grant = |line: &GrantLine| format!("{} {}", line.capability, line.entry);
    for line in &plan.gained {
        rows.push(row("gained", "grant", line.component.as_str(), (String::new(), grant(line))));
    }
    for line in &plan.lost {
        rows.push(row("lost", "grant", line.component.as_str(), (grant(line), String::new())));
    }
    for one in &plan.limits {
        let limit = |value: &str| format!("{} {value}", one.limit);
        rows.push(row("changed", "limit", one.component.as_str(), (limit(&one.before), limit(&one.after))));
    }
    for one in &plan.routes {
        let places = match one.kind {
            PlanKind::Gone => (one.route.clone(), String::new()),
            PlanKind::New | PlanKind::Changed => (String::new(), one.route.clone()),
        };
        rows.push(row(kind(one.kind), "route", "", places));
    }
    rows
}

fn row(change: &str, what: &str, component: &str, (before, after): (String, String)) -> Row {
    [change.to_owned(), what.to_owned(), component.to_owned(), before, after]
}

fn kind(kind: PlanKind) -> &'static str {
    match kind {
        PlanKind::New => "new",
        PlanKind::Changed => "changed",
        PlanKind::Gone => "gone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_one_table() {
        let plan = json!({
            "changes": true, "generation": 7, "missing": [],
            "components": [
                { "component": "front", "kind": "changed", "bytes_before": 1_048_576, "bytes_after": 2_048 },
                { "component": "old", "kind": "gone", "bytes_before": 12 },
            ],
            "gained": [{ "component": "front", "capability": "http", "entry": "https://api.example.com" }],
            "lost": [{ "component": "front", "capability": "keyvalue", "entry": "default" }],
            "limits": [{ "component": "front", "limit": "memory", "before": "128MiB", "after": "256MiB" }],
            "routes": [{ "route": "/v2 -> front", "kind": "new" }, { "route": "/v1 -> front", "kind": "gone" }],
        });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        let lines = table::of_names(["CHANGE", "WHAT", "COMPONENT", "BEFORE", "AFTER"], rows(&plan));
        insta::assert_snapshot!(lines.join("\n"), @"
        CHANGE   WHAT       COMPONENT  BEFORE            AFTER
        changed  component  front      1.00 MiB          2.00 KiB
        gone     component  old        12 B
        gained   grant      front                        http https://api.example.com
        lost     grant      front      keyvalue default
        changed  limit      front      memory 128MiB     memory 256MiB
        new      route                                   /v2 -> front
        gone     route                 /v1 -> front
        ");
    }
}
