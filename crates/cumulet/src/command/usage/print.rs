//! A report for people, and for programs.

use cumulet_node::usage::{Amount, Comparison, Dimension, Question, Report, Row, Sums, rfc3339};
use serde_json::{Map, Value, json};

use super::number::{gb_seconds, grouped, millis};
use crate::table::aligned;
use crate::terminal::Terminal;

/// The columns behind those of the dimensions.
const QUANTITIES: [&str; 6] = ["REQUESTS", "EXECUTED MS", "GB-SECONDS", "EGRESS BYTES", "UNBILLED", "REJECTED"];
/// What a comparison leaves out, beside it because it changes what it means.
const COMPARED: &str = "An estimate from sums. Left out: free tiers, monthly minimums, discounts, bandwidth, gateways.";

/// Prints a report, and a comparison if there is one.
pub(super) fn print(report: &Report, question: &Question, compared: Option<&Comparison>, terminal: Terminal) {
    if terminal.is_json() {
        terminal.json(&as_json(report, question, compared));
        return;
    }
    let mut lines = aligned(&rows(report, question), question.by.len());
    lines.push(String::new());
    lines.push(footing(report, question));
    if let Some(compared) = compared {
        lines.push(String::new());
        lines.push(format!("The same work at list prices of {}, in US dollars:", compared.read));
        lines.extend(aligned(&costs(compared), 1));
        lines.push(COMPARED.to_owned());
    }
    terminal.data(&lines.join("\n"));
}

fn rows(report: &Report, question: &Question) -> Vec<Vec<String>> {
    let dimensions = question.by.iter().map(|dimension| dimension.label().to_uppercase());
    let mut rows = vec![dimensions.chain(QUANTITIES.map(str::to_owned)).collect()];
    for row in &report.rows {
        let names = question.by.iter().map(|dimension| name(row, *dimension).unwrap_or_else(|| "-".to_owned()));
        rows.push(names.chain(quantities(&row.amount)).collect());
    }
    if !question.by.is_empty() {
        let names = question.by.iter().enumerate().map(|(place, _)| if place == 0 { "TOTAL" } else { "" }.to_owned());
        rows.push(names.chain(quantities(&report.total)).collect());
    }
    rows
}

fn quantities(amount: &Amount) -> [String; 6] {
    let Amount { billed, unbilled, rejections } = amount;
    [
        grouped(billed.invocations.into()),
        millis(billed.executed_us),
        gb_seconds(billed.memory_time_byte_us),
        grouped(billed.bytes_out.into()),
        grouped(unbilled.invocations.into()),
        grouped((*rejections).into()),
    ]
}

fn name(row: &Row, dimension: Dimension) -> Option<String> {
    match dimension {
        Dimension::Tenant => row.tenant.as_ref().map(ToString::to_string),
        Dimension::App => row.app.as_ref().map(ToString::to_string),
        Dimension::Component => row.component.as_ref().map(ToString::to_string),
        Dimension::Revision => row.revision.map(|revision| revision.short()),
        Dimension::Outcome => row.outcome.map(|outcome| outcome.to_string()),
    }
}

/// From when to when, and what is in it.
fn footing(report: &Report, question: &Question) -> String {
    let since = question.window.since_us().map_or_else(|| "the beginning".to_owned(), rfc3339);
    let until = question.window.until_us().map_or_else(|| "now".to_owned(), rfc3339);
    let as_of = match report.as_of_us {
        0 => "nothing was summed yet".to_owned(),
        as_of_us => format!("as of {}", rfc3339(as_of_us)),
    };
    format!("From {since} until {until}, {as_of}. A GB is 2^30 bytes.")
}

fn costs(compared: &Comparison) -> Vec<Vec<String>> {
    let mut rows = vec![["PROVIDER", "FOR REQUESTS", "FOR COMPUTE", "TOTAL"].map(str::to_owned).to_vec()];
    for (provider, cost) in &compared.costs {
        let (requests, compute, total) =
            (cost.requests.to_string(), cost.compute.to_string(), cost.total().to_string());
        rows.push(vec![provider.name.clone(), requests, compute, total]);
    }
    rows
}

fn as_json(report: &Report, question: &Question, compared: Option<&Comparison>) -> Value {
    let rows = report.rows.iter().map(|row| {
        let names =
            question.by.iter().map(|dimension| (dimension.label().to_owned(), json!(json_name(row, *dimension))));
        let mut object: Map<String, Value> = names.collect();
        object.extend(amount_json(&row.amount));
        Value::Object(object)
    });
    let mut object = json!({
        "as_of": (report.as_of_us > 0).then(|| rfc3339(report.as_of_us)),
        "since": question.window.since_us().map(rfc3339),
        "until": question.window.until_us().map(rfc3339),
        "rows": rows.collect::<Vec<_>>(),
        "total": Value::Object(amount_json(&report.total)),
    });
    if let (Some(compared), Some(object)) = (compared, object.as_object_mut()) {
        object.insert("compare".to_owned(), compare_json(compared));
    }
    object
}

/// Revisions are whole here: programs compare them.
fn json_name(row: &Row, dimension: Dimension) -> Option<String> {
    match dimension {
        Dimension::Revision => row.revision.map(|revision| revision.to_string()),
        Dimension::Tenant | Dimension::App | Dimension::Component | Dimension::Outcome => name(row, dimension),
    }
}

fn amount_json(amount: &Amount) -> Map<String, Value> {
    let Amount { billed, unbilled, rejections } = amount;
    let mut object = Map::new();
    object.insert("billed".to_owned(), sums_json(billed));
    object.insert("unbilled".to_owned(), sums_json(unbilled));
    object.insert("rejections".to_owned(), json!(rejections));
    object
}

/// Memory-time is text: it does not fit into the numbers that all programs can read.
fn sums_json(sums: &Sums) -> Value {
    json!({
        "requests": sums.invocations,
        "executed_us": sums.executed_us,
        "wall_us": sums.wall_us,
        "memory_time_byte_us": sums.memory_time_byte_us.to_string(),
        "bytes_in": sums.bytes_in,
        "bytes_out": sums.bytes_out,
    })
}

fn compare_json(compared: &Comparison) -> Value {
    let costs = compared.costs.iter().map(|(provider, cost)| {
        json!({
            "provider": provider.name,
            "source": provider.source,
            "seen": provider.seen,
            "requests_usd": cost.requests.to_string(),
            "compute_usd": cost.compute.to_string(),
            "total_usd": cost.total().to_string(),
        })
    });
    json!({ "read": compared.read, "costs": costs.collect::<Vec<_>>(), "note": COMPARED })
}
