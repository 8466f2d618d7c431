//! A report for people, and for programs.

use cumulet_node::usage::Dimension;
use cumulet_spec::api::{UsageAmount, UsageComparison, UsageRow, UsageView};
use serde_json::json;

use super::number::{gb_seconds, grouped, millis};
use crate::table::aligned;
use crate::terminal::Terminal;

/// The columns behind those of the dimensions.
const QUANTITIES: [&str; 6] = ["REQUESTS", "EXECUTED MS", "GB-SECONDS", "EGRESS BYTES", "UNBILLED", "REJECTED"];

/// Prints what was used, told apart by these.
pub(super) fn print(view: &UsageView, by: &[Dimension], terminal: Terminal) {
    if terminal.is_json() {
        terminal.json(&json!(view));
        return;
    }
    let mut lines = aligned(&rows(view, by), by.len());
    lines.push(String::new());
    lines.push(footing(view));
    if let Some(compared) = &view.compare {
        lines.push(String::new());
        lines.push(format!("The same work at list prices of {}, in US dollars:", compared.read));
        lines.extend(aligned(&costs(compared), 1));
        lines.push(compared.note.clone());
    }
    terminal.data(&lines.join("\n"));
}

fn rows(view: &UsageView, by: &[Dimension]) -> Vec<Vec<String>> {
    let dimensions = by.iter().map(|dimension| dimension.label().to_uppercase());
    let mut rows = vec![dimensions.chain(QUANTITIES.map(str::to_owned)).collect()];
    for row in &view.rows {
        let names = by.iter().map(|dimension| name(row, *dimension).unwrap_or_else(|| "-".to_owned()));
        rows.push(names.chain(quantities(&row.amount)).collect());
    }
    if !by.is_empty() {
        let names = by.iter().enumerate().map(|(place, _)| if place == 0 { "TOTAL" } else { "" }.to_owned());
        rows.push(names.chain(quantities(&view.total)).collect());
    }
    rows
}

fn quantities(amount: &UsageAmount) -> [String; 6] {
    let UsageAmount { billed, unbilled, rejections } = amount;
    [
        grouped(billed.requests.into()),
        millis(billed.executed_us),
        gb_seconds(billed.memory_time_byte_us),
        grouped(billed.bytes_out.into()),
        grouped(unbilled.requests.into()),
        grouped((*rejections).into()),
    ]
}

fn name(row: &UsageRow, dimension: Dimension) -> Option<String> {
    match dimension {
        Dimension::Tenant => row.tenant.as_ref()?.as_ref().map(ToString::to_string),
        Dimension::App => row.app.as_ref()?.as_ref().map(ToString::to_string),
        Dimension::Component => row.component.as_ref()?.as_ref().map(ToString::to_string),
        Dimension::Revision => row.revision?.map(|revision| revision.short()),
        Dimension::Outcome => row.outcome?.map(|outcome| outcome.to_string()),
    }
}

/// From when to when, and what is in it.
fn footing(view: &UsageView) -> String {
    let since = view.since.as_deref().unwrap_or("the beginning");
    let until = view.until.as_deref().unwrap_or("now");
    let as_of = match &view.as_of {
        None => "nothing was summed yet".to_owned(),
        Some(as_of) => format!("as of {as_of}"),
    };
    format!("From {since} until {until}, {as_of}. A GB is 2^30 bytes.")
}

fn costs(compared: &UsageComparison) -> Vec<Vec<String>> {
    let mut rows = vec![["PROVIDER", "FOR REQUESTS", "FOR COMPUTE", "TOTAL"].map(str::to_owned).to_vec()];
    for cost in &compared.costs {
        let money = [&cost.requests_usd, &cost.compute_usd, &cost.total_usd].map(Clone::clone);
        rows.push([vec![cost.provider.clone()], money.to_vec()].concat());
    }
    rows
}
