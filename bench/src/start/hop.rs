//! What a call from one component of a composition to another costs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cores::Split;
use crate::peer::cumulet;
use crate::process::Server;
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::wire::{Connection, request};

/// What is called, and the name in tables.
const CALLS: [(&str, &str); 3] = [
    ("/own", "a function of its own"),
    ("/add", "a neighbour's function of two numbers"),
    ("/length", "a neighbour's function of a text of 1,024 bytes"),
];
/// Calls in one request: enough that reading the clock twice is nothing beside them.
const COUNT: u32 = 100_000;
/// The same where the run is quick.
const COUNT_QUICK: u32 = 10_000;
/// How long one request may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Calls a function of its own and two of a neighbour, and adds what that costs to the report.
pub(super) fn measure(
    settings: &Settings,
    program: &Path,
    (split, logs): (&Split, &Path),
    report: &mut Report,
) -> Result<()> {
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    let manifest = data.path().join("cumulet.toml");
    let guests = Settings::root().join("tests/guests/target/wasm32-wasip2/release");
    fs::write(&manifest, linked(&guests)).context("cannot write the manifest")?;
    let server = cumulet("cumulet", program, &manifest, &data.path().join("data")).start(&split.server, logs)?;
    let count = if settings.quick { COUNT_QUICK } else { COUNT };
    let mut table = Table::new("a call within an isolate", &["what is called", "ns each", "beyond its own, ns"]);
    let mut own = Vec::new();
    let mut all = vec![Vec::new(); CALLS.len()];
    for _ in 0..settings.repetitions() {
        for ((path, _), runs) in CALLS.iter().zip(&mut all) {
            runs.push(ask(&server, path, count)?);
        }
    }
    for ((_, name), runs) in CALLS.iter().zip(all) {
        if own.is_empty() {
            own.clone_from(&runs);
        }
        let beyond: Vec<f64> = runs.iter().zip(&own).map(|(nanos, own)| nanos - own).collect();
        table.row(vec![Cell::text(*name), Cell::spread(&runs, 1), Cell::spread(&beyond, 1)]);
    }
    report.table(table);
    report.note(format!("{count} calls in a request, by the guest's own clock; both components are built from Rust"));
    report.note("limits and measurement are on; the text is copied from one component's memory to the other's");
    Ok(())
}

/// Two components, of which one is linked to the other.
fn linked(guests: &Path) -> String {
    let (front, back) = (guests.join("hop_front.wasm"), guests.join("hop_back.wasm"));
    format!(
        "manifest = 1\n[app]\nname = \"hop\"\n[component.front]\nsource = {front:?}\n\
         link = {{ \"acme:hop/calls\" = \"back\" }}\n[component.back]\nsource = {back:?}\n\
         [[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n"
    )
}

/// Nanoseconds of one of so many calls.
fn ask(server: &Server, path: &str, count: u32) -> Result<f64> {
    let mut connection = Connection::open(server.address)?;
    let reply = connection.exchange(&request("GET", &format!("{path}?calls={count}"), &[]), ANSWER_TIME_MAX)?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    ensure!(reply.status == 200, "{path} answered {}: {text}\n{}", reply.status, server.complaints());
    let nanos: f64 = text.trim().parse().with_context(|| format!("{path} answered {text:?}"))?;
    Ok(nanos / f64::from(count))
}
