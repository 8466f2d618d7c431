//! The Prometheus exposition: text made when it is asked for, from counters that are kept anyway.

use crate::node::Workshop;
use crate::serving::Serving;
use cumulet_meter::{LATENCY_BOUNDS_US, Totals};
use cumulet_spec::outcome::Outcome;
use std::fmt::Write as _;

/// One component's sums and the labels that they go under.
struct Row {
    labels: String,
    totals: Totals,
}

/// The text of `/metrics`.
pub(crate) fn exposition(serving: &Serving, workshop: &Workshop) -> String {
    let mut rows: Vec<Row> = workshop
        .tallies()
        .into_iter()
        .map(|((app, component), tally)| Row {
            labels: format!("app=\"{app}\",component=\"{component}\""),
            totals: tally.totals(),
        })
        .collect();
    let mut text = String::new();
    sums(&mut text, &rows);
    histogram(&mut text, &rows);
    rows.push(Row { labels: "app=\"\",component=\"\"".into(), totals: serving.unrouted.totals() });
    outcomes(&mut text, &rows);
    gauges(&mut text, serving, workshop);
    text
}

fn heading(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail, here and below.
    let _written = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn outcomes(text: &mut String, rows: &[Row]) {
    let name = "cumulet_requests_total";
    heading(text, name, "counter", "Requests by outcome; those that reached no component have no labels.");
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
    let gauges = [
        ("cumulet_slots", "Slots of the pool.", u64::from(slots.capacity())),
        ("cumulet_slots_in_use", "Slots of the pool that invocations hold.", u64::from(slots.inside())),
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
    let name = "cumulet_events_dropped_total";
    heading(text, name, "counter", "Events and pieces of guest output that were dropped.");
    let _written = writeln!(text, "{name} {}", serving.events.dropped());
}

fn seconds(micros: u64) -> f64 {
    quotient(micros, 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "the format of Prometheus has floating-point numbers only")]
fn quotient(value: u64, divisor: f64) -> f64 {
    value as f64 / divisor
}
