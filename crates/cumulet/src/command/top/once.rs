//! One table, or one document, of what happened between two looks.

use cumulet_spec::api::LiveView;
use serde_json::{Value, json};

use super::history::{History, Row};
use super::model::name;
use super::number::{bytes, count, percent, rate, time};
use super::order::Order;
use super::{Source, unwatched};
use crate::command::Ended;
use crate::exit::Exit;
use crate::table::aligned;
use crate::terminal::Terminal;

const COLUMNS: [&str; 9] = ["APP", "EXECUTED", "REQ/S", "P50", "P99", "MEMORY", "COLD STARTS", "ERR/S", "REQUESTS"];

/// Looks once more after a while, and prints what happened.
pub(super) async fn print(source: &Source, first: LiveView, order: Order, terminal: Terminal) -> Ended {
    let mut history = History::default();
    history.push(first);
    tokio::time::sleep(source.every).await;
    history.push(source.look().await.map_err(unwatched)?);
    let mut rows = history.rows();
    order.sort(&mut rows);
    if terminal.is_json() {
        terminal.json(&document(&history, &rows));
    } else if rows.is_empty() {
        terminal.note("no app has run since the node started");
    } else {
        terminal.data(&lines(&rows).join("\n"));
    }
    Ok(Exit::DONE)
}

fn lines(rows: &[Row]) -> Vec<String> {
    let header = COLUMNS.map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows.iter().map(cells)).collect();
    aligned(&rows, 1)
}

fn cells(row: &Row) -> Vec<String> {
    let none = || "-".to_owned();
    let rates = row.rates.as_ref();
    vec![
        name(&row.id),
        rates.map_or_else(none, |rates| percent(rates.executed_ppm)),
        rates.map_or_else(none, |rates| rate(rates.requests_milli)),
        rates.and_then(|rates| rates.p50_us).map_or_else(none, time),
        rates.and_then(|rates| rates.p99_us).map_or_else(none, time),
        bytes(row.memory_peak_bytes),
        count(row.cold_starts),
        rates.map_or_else(none, |rates| rate(rates.errors_milli)),
        count(row.requests),
    ]
}

/// Rates are of the time since the first look; what has no rate is counted since the node started.
fn document(history: &History, rows: &[Row]) -> Value {
    let apps: Vec<Value> = rows.iter().map(app).collect();
    let newest = history.newest();
    json!({
        "at_us": newest.map(|view| view.at_us),
        "started_us": newest.map(|view| view.started_us),
        "interval_us": history.elapsed_us(),
        "node": newest.and_then(|view| view.node.as_ref()),
        "apps": apps,
    })
}

fn app(row: &Row) -> Value {
    let rates = row.rates.as_ref();
    json!({
        "tenant": row.id.tenant,
        "app": row.id.app,
        "executed_us_per_s": rates.map(|rates| rates.executed_ppm),
        "requests_per_s": rates.map(|rates| fraction(rates.requests_milli)),
        "errors_per_s": rates.map(|rates| fraction(rates.errors_milli)),
        "p50_us": rates.and_then(|rates| rates.p50_us),
        "p99_us": rates.and_then(|rates| rates.p99_us),
        "bytes_in_per_s": row.bytes_in,
        "bytes_out_per_s": row.bytes_out,
        "memory_peak_bytes": row.memory_peak_bytes,
        "cold_starts": row.cold_starts,
        "requests": row.requests,
        "errors": row.errors,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a rate that has more than fifteen digits needs no more of them")]
fn fraction(milli: u64) -> f64 {
    milli as f64 / 1_000.0
}
