//! The Prometheus exposition: text made when it is asked for, from counters that are kept anyway.

use crate::apps::{Apps, Phase};
use crate::serving::{Directory, Serving};
use crate::workshop::{Tallies, Workshop};
use cumulet_meter::{LATENCY_BOUNDS_US, Tally, Totals};
use cumulet_spec::id::{AppId, ComponentName};
use cumulet_spec::outcome::Outcome;
use std::fmt::Write as _;
use std::sync::Arc;

/// One component's sums and the labels that they go under.
struct Row {
    labels: String,
    totals: Totals,
}

/// The text of `/metrics`.
pub(crate) fn exposition(serving: &Serving, workshop: &Workshop) -> String {
    let mut rows = rows(workshop);
    let mut text = String::new();
    sums(&mut text, &rows);
    histogram(&mut text, &rows);
    rows.push(Row { labels: "app=\"\",component=\"\"".into(), totals: serving.unrouted.totals() });
    outcomes(&mut text, &rows);
    gauges(&mut text, serving, workshop);
    if let Directory::Deployed(apps) = &serving.directory {
        deployed(&mut text, apps, workshop.store.counts().refused);
    }
    if let Some(shelf) = &serving.shelf {
        shelf.expose(&mut text);
    }
    text
}

/// A row for each component of one app; a single one for a node, whose apps may be more than any store of metrics takes:
/// what each of them used is in the ledger.
fn rows(workshop: &Workshop) -> Vec<Row> {
    match &workshop.tallies {
        Tallies::Node(tally) => vec![Row { labels: "app=\"*\",component=\"*\"".into(), totals: tally.totals() }],
        Tallies::Each(each) => {
            let each = each.lock();
            let row = |((id, component), tally): (&(AppId, ComponentName), &Arc<Tally>)| Row {
                labels: format!("app=\"{id}\",component=\"{component}\""),
                totals: tally.totals(),
            };
            each.iter().map(row).collect()
        }
    }
}

/// What is loaded of what is deployed, and what loading it cost.
fn deployed(text: &mut String, apps: &Apps, refused: u64) {
    let totals = apps.totals();
    let (loaded, failed) = apps.cold.counts();
    let rows = [
        ("cumulet_loaded_apps", "gauge", "Apps that are loaded.", totals.apps),
        ("cumulet_loaded_bytes", "gauge", "Code of loaded apps and what surrounds it.", totals.bytes),
        ("cumulet_loaded_files", "gauge", "Compiled files that are mapped.", totals.files),
        ("cumulet_evictions_total", "counter", "Apps that were let go for others.", totals.evicted),
        ("cumulet_unloaded_total", "counter", "Apps that were let go because nobody called them.", totals.unloaded),
        ("cumulet_cold_starts_total", "counter", "Apps that were loaded.", loaded),
        ("cumulet_cold_start_failures_total", "counter", "Apps that could not be loaded.", failed),
        (
            "cumulet_compiled_files_refused_total",
            "counter",
            "Compiled files that were not as this node wrote them, and were made anew.",
            refused,
        ),
    ];
    for (name, kind, help, value) in rows {
        heading(text, name, kind, help);
        let _written = writeln!(text, "{name} {value}");
    }
    let name = "cumulet_cold_start_seconds_total";
    heading(text, name, "counter", "Time that loading apps took, by step.");
    for phase in Phase::ALL {
        let spent = quotient(apps.cold.nanos(phase), 1e9);
        let _written = writeln!(text, "{name}{{phase=\"{}\"}} {spent}", phase.label());
    }
}

fn heading(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail, here and below.
    let _written = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn outcomes(text: &mut String, rows: &[Row]) {
    let name = "cumulet_requests_total";
    heading(text, name, "counter", "Requests by outcome; those that reached no component have empty ones.");
    for row in rows {
        for (outcome, count) in Outcome::ALL.iter().zip(row.totals.outcomes).filter(|(_, count)| *count > 0) {
            let _written = writeln!(text, "{name}{{{},outcome=\"{outcome}\"}} {count}", row.labels);
        }
    }
}

fn sums(text: &mut String, rows: &[Row]) {
    type Read = fn(&Totals) -> f64;
    let sums: [(&str, &str, Read); 4] = [
        ("cumulet_executed_seconds_total", "Processor time of guests.", |totals| seconds(totals.executed_us)),
        ("cumulet_memory_byte_seconds_total", "Peak memory times wall time.", |totals| {
            quotient(totals.memory_byte_ms, 1_000.0)
        }),
        ("cumulet_request_body_bytes_total", "Bytes of request bodies that guests were given.", |totals| {
            quotient(totals.bytes_in, 1.0)
        }),
        ("cumulet_response_body_bytes_total", "Bytes of response bodies that clients were sent.", |totals| {
            quotient(totals.bytes_out, 1.0)
        }),
    ];
    for (name, help, read) in sums {
        heading(text, name, "counter", help);
        for row in rows {
            let _written = writeln!(text, "{name}{{{}}} {}", row.labels, read(&row.totals));
        }
    }
}

fn histogram(text: &mut String, rows: &[Row]) {
    let name = "cumulet_invocation_seconds";
    heading(text, name, "histogram", "Wall time of invocations, from admission to the end of the response.");
    for row in rows {
        let mut below = 0;
        for (bound, count) in LATENCY_BOUNDS_US.iter().zip(row.totals.latency) {
            below += count;
            let _written = writeln!(text, "{name}_bucket{{{},le=\"{}\"}} {below}", row.labels, seconds(*bound));
        }
        let all: u64 = row.totals.latency.iter().sum();
        let _written = writeln!(text, "{name}_bucket{{{},le=\"+Inf\"}} {all}", row.labels);
        let _written = writeln!(text, "{name}_sum{{{}}} {}", row.labels, seconds(row.totals.wall_us));
        let _written = writeln!(text, "{name}_count{{{}}} {all}", row.labels);
    }
}

fn gauges(text: &mut String, serving: &Serving, workshop: &Workshop) {
    let slots = serving.admission.slots();
    let pagemap_scan = u32::from(workshop.engines.settings().pagemap_scan);
    let pool = workshop.engines.pool_usage();
    let ledger = &serving.books;
    let gauges = [
        ("cumulet_instances", "Instances that exist.", pool.instances),
        ("cumulet_warm_memories", "Memories of the pool that were used and are free.", pool.warm_memories),
        ("cumulet_warm_bytes", "Memory that free slots of the pool keep.", pool.resident_bytes),
        ("cumulet_ledger_free_places", "Usage records for which there is room.", ledger.ledger.free_places()),
        (
            "cumulet_ledger_failed_drains",
            "Attempts to write usage that failed since the last success.",
            u64::from(ledger.failed()),
        ),
        ("cumulet_slots", "Slots of the pool.", u64::from(slots.capacity())),
        (
            "cumulet_slots_in_use",
            "Slots of the pool that invocations hold, and instances that wait.",
            u64::from(slots.inside()),
        ),
        (
            "cumulet_slots_reused",
            "Slots that instances hold while they wait: reused ones, and those made ahead.",
            u64::from(workshop.warm.slots_held()),
        ),
        ("cumulet_slots_waiting", "Invocations that wait for a slot.", u64::from(slots.waiting())),
        (
            "cumulet_pagemap_scan",
            "Whether slots are reset by asking the kernel for dirty pages.",
            u64::from(pagemap_scan),
        ),
    ];
    for (name, help, value) in gauges {
        heading(text, name, "gauge", help);
        let _written = writeln!(text, "{name} {value}");
    }
    let counters = [
        (
            "cumulet_events_dropped_total",
            "Events and pieces of guest output that were dropped.",
            serving.events.dropped(),
        ),
        (
            "cumulet_made_ahead_total",
            "Invocations whose instance was made before they came.",
            workshop.warm.found_made(),
        ),
    ];
    for (name, help, value) in counters {
        heading(text, name, "counter", help);
        let _written = writeln!(text, "{name} {value}");
    }
}

fn seconds(micros: u64) -> f64 {
    quotient(micros, 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "the format of Prometheus has floating-point numbers only")]
fn quotient(value: u64, divisor: f64) -> f64 {
    value as f64 / divisor
}
