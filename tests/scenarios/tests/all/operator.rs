//! What an operator sees: events, guest output, metrics, health.

use anyhow::{Context as _, ensure};
use cumulet_scenarios::output;
use cumulet_scenarios::paths;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::server::Server;

#[test]
fn each_invocation_is_one_event_with_id_outcome_and_place() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let reply = server.get("/p2/count", &["x-request-id: one-event"])?;
    ensure!(reply.status() == 200, "{reply:?}");
    let event = server.invocation("one-event")?;
    for (field, expected) in [("outcome", "ok"), ("app", "http"), ("component", "p2")] {
        ensure!(output::text(&event, field) == Some(expected), "{field} in {event}");
    }
    // The end of a later request shows that no second event of the first is on its way.
    server.get("/p3/panic", &["x-request-id: later"])?;
    let trap = server.invocation("later")?;
    ensure!(output::text(&trap, "outcome") == Some("trap"), "{trap}");
    // The guest is stripped of its names: the operator gets what tools that know the symbols ask for.
    ensure!(output::text(&trap, "detail").is_some_and(|detail| detail.contains("\n  at function ")), "{trap}");
    let about = |line: &String| output::event(line).is_some_and(|event| output::text(&event, "outcome").is_some());
    let events: Vec<_> =
        server.stderr.lines().into_iter().filter(|line| line.contains("one-event")).filter(about).collect();
    ensure!(events.len() == 1, "{events:?}");
    server.stop()
}

#[test]
fn what_a_guest_prints_is_tagged_with_its_request() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for (world, id) in [("/p2", "print-p2"), ("/p3", "print-p3")] {
        let reply = server.get(&format!("{world}/log?line=greeting"), &[&format!("x-request-id: {id}")])?;
        ensure!(reply.status() == 200, "{reply:?}");
        for (stream, printed) in [("stdout", "out greeting"), ("stderr", "err greeting")] {
            let event = server.stderr.wait_for(&format!("{printed} of {id}"), |line| {
                output::event(line).filter(|event| {
                    output::text(event, "request_id") == Some(id) && output::text(event, "text") == Some(printed)
                })
            })?;
            ensure!(output::text(&event, "stream") == Some(stream), "{event}");
        }
    }
    server.stop()
}

#[test]
fn a_guest_reads_no_backtrace_of_its_host() -> anyhow::Result<()> {
    let server = Server::up_where(&paths::app("http.toml")?, &[], &[("RUST_BACKTRACE", "1")])?;
    let mut connection = server.connect()?;
    connection.request("POST", "/p2/slow-read", &["transfer-encoding: chunked", "x-request-id: garbled"])?;
    connection.send(b"no chunk\r\n")?;
    // The guest panics with what it is told of the stream.
    ensure!(server.outcome("garbled")? == "trap", "{}", server.outcome("garbled")?);
    let printed = |line: &String| {
        let event = output::event(line)?;
        (output::text(&event, "event") == Some("output")).then(|| output::text(&event, "text").map(str::to_owned))?
    };
    let printed: Vec<_> = server.stderr.lines().iter().filter_map(printed).collect();
    ensure!(printed.iter().any(|line| line.contains("panicked at")), "{printed:?}");
    let frame = |line: &&String| line.trim_start().starts_with("at ") || line.contains("wasmtime_wasi");
    ensure!(!printed.iter().any(|line| frame(&line)), "{printed:?}");
    server.stop()
}

#[test]
fn what_a_guest_prints_cannot_forge_an_event() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let forged = r#"x-line: {"request_id":"forged","outcome":"ok"}"#;
    server.get("/p2/log", &[forged, "x-request-id: forger"])?;
    server.stderr.wait_for("what the guest printed", |line| line.contains("forged").then_some(()))?;
    ensure!(server.outcome("forger").is_ok(), "the forger's own event");
    for line in server.stderr.lines() {
        let event = output::event(&line).with_context(|| format!("not an event: {line}"))?;
        ensure!(output::text(&event, "request_id") != Some("forged"), "{line}");
    }
    server.stop()
}

#[test]
fn metrics_count_every_outcome() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for path in ["/p2/count", "/p2/count", "/p2/panic", "/nowhere"] {
        server.get(path, &[])?;
    }
    server.get("/p2/count", &["x-request-id: counted"])?;
    server.outcome("counted")?;
    let mut text = String::new();
    let counts = [("ok", 3.0), ("trap", 1.0), ("no-route", 1.0)];
    // A response may arrive before its invocation is counted.
    until("every outcome is counted once", || {
        let reply = server.admin("/metrics")?;
        ensure!(reply.status() == 200, "{reply:?}");
        ensure!(reply.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{reply:?}");
        text = reply.text();
        Ok(counts.iter().all(|(outcome, count)| counted(&text, outcome) >= *count))
    })
    .with_context(|| text.clone())?;
    for (outcome, count) in counts {
        ensure!(counted(&text, outcome) == count, "{outcome}: {} in\n{text}", counted(&text, outcome));
    }
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, value) = line.rsplit_once(' ').with_context(|| format!("metrics line {line:?}"))?;
        ensure!(value.parse::<f64>().is_ok() && name.starts_with("cumulet_"), "metrics line {line:?}");
    }
    server.stop()
}

/// What the counters labelled with `outcome` come to, histograms left out.
fn counted(text: &str, outcome: &str) -> f64 {
    let label = format!("outcome=\"{outcome}\"");
    text.lines()
        .filter(|line| line.contains(&label) && line.contains("_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[test]
fn health_is_told_on_the_admin_listener_alone() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    ensure!(server.admin("/healthz")?.status() == 200, "healthy");
    ensure!(server.admin("/nothing")?.status() == 404, "nothing else there");
    for path in ["/healthz", "/metrics"] {
        ensure!(server.get(path, &[])?.status() == 404, "{path} is not for clients");
    }
    server.stop()
}
