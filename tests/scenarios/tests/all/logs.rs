//! Logs on disk: a flood costs its own app only, and what was written outlives the node.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::fleet::{App, Fleet};
use cumulet_scenarios::follow::Follower;
use cumulet_scenarios::http1::Connection;
use cumulet_scenarios::once::cumulet;
use cumulet_scenarios::patience::until;
use serde_json::Value;

/// Clients of the app that floods.
const FLOODS: usize = 3;
/// Requests to the app beside it.
const REQUESTS: usize = 200;

fn app(fleet: &Fleet, tenant: &'static str, name: &str) -> anyhow::Result<App> {
    let source = fleet.component("hostile.wasm", &format!("{tenant}-{name}"))?;
    Ok(App { tenant, name: name.to_owned(), source, more: "limit = { cpu = \"100ms\" }" })
}

/// What `cumulet logs` says of an app, entry by entry.
fn logs(fleet: &Fleet, app: &App, more: &[&str]) -> anyhow::Result<Vec<Value>> {
    let data = fleet.data();
    let data = data.to_str().context("a path of text")?;
    let fixed = ["logs", &app.name, "--tenant", app.tenant, "--data-dir", data, "--json", "--since", "1970-01-01"];
    let finished = cumulet(&[&fixed[..], more].concat(), b"")?;
    ensure!(finished.code == Some(0), "{}", finished.stderr);
    finished.stdout.lines().map(|line| serde_json::from_str(line).context(line.to_owned())).collect()
}

fn field<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn ask(connection: &mut Connection, app: &App, path: &str, id: &str) -> anyhow::Result<u16> {
    connection.request_to(&app.host(), ("GET", path), &[&format!("x-request-id: {id}")])?;
    Ok(connection.reply("GET")?.status())
}

#[test]
fn a_flood_of_output_costs_its_own_app_only() -> anyhow::Result<()> {
    let fleet = Fleet::new("[logs]\nper_app = \"2MiB\"\ntotal = \"16MiB\"\n")?;
    let (loud, quiet) = (app(&fleet, "acme", "loud")?, app(&fleet, "other", "quiet")?);
    for end in fleet.deploy(&[loud.clone(), quiet.clone()])? {
        ensure!(end.is_ok(), "{end:?}");
    }
    let server = fleet.serve()?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let floods: Vec<_> = (0..FLOODS)
            .map(|client| {
                let (is_over, loud, server) = (&is_over, &loud, &server);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut number = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let mut connection = server.connect()?;
                        ask(&mut connection, loud, "/flood-output", &format!("loud-{client}-{number}"))?;
                        number += 1;
                    }
                    Ok(())
                })
            })
            .collect();
        let asked = (0..REQUESTS).try_for_each(|number| -> anyhow::Result<()> {
            let mut connection = server.connect()?;
            let path = format!("/log?line=line-{number}");
            let status = ask(&mut connection, &quiet, &path, &format!("quiet-{number}"))?;
            ensure!(status == 200, "request {number} got {status}");
            Ok(())
        });
        is_over.store(true, Ordering::Relaxed);
        for flood in floods {
            flood.join().map_err(|_panic| anyhow::anyhow!("a client panicked"))??;
        }
        asked
    })?;
    let mut entries = Vec::new();
    until("everything of the quiet app is in its log", || {
        entries = logs(&fleet, &quiet, &[])?;
        Ok(entries.iter().filter(|entry| field(entry, "event") == "invocation").count() >= REQUESTS)
    })?;
    for number in 0..REQUESTS {
        let id = format!("quiet-{number}");
        let said: Vec<&str> = entries
            .iter()
            .filter(|entry| field(entry, "request_id") == id && field(entry, "event") == "output")
            .map(|entry| field(entry, "text"))
            .collect();
        let line = format!("line-{number}");
        ensure!(said.len() == 3 && said.contains(&line.as_str()), "{id}: {said:?}");
    }
    ensure!(entries.iter().all(|entry| field(entry, "event") != "dropped"), "nothing of it was dropped");
    let trapped = logs(&fleet, &quiet, &["--outcome", "trap"])?;
    ensure!(trapped.is_empty(), "{trapped:?}");
    let of_one = logs(&fleet, &quiet, &["--request", "quiet-7"])?;
    ensure!(of_one.len() == 4 && of_one.iter().all(|entry| field(entry, "request_id") == "quiet-7"), "{of_one:?}");
    // The flood's own log says what is missing of it, and keeps within its bound.
    let flood = logs(&fleet, &loud, &[])?;
    ensure!(flood.iter().any(|entry| field(entry, "event") == "dropped"), "{} entries, none dropped", flood.len());
    let bytes: u64 = std::fs::read_dir(fleet.data().join("logs/loud.acme"))?
        .map(|entry| Ok(entry?.metadata()?.len()))
        .sum::<anyhow::Result<u64>>()?;
    ensure!(bytes <= 2 << 20, "{bytes} bytes");
    server.stop()
}

#[test]
fn what_was_written_outlives_a_node_that_is_killed() -> anyhow::Result<()> {
    let fleet = Fleet::new("")?;
    let shop = app(&fleet, "acme", "shop")?;
    for end in fleet.deploy(std::slice::from_ref(&shop))? {
        ensure!(end.is_ok(), "{end:?}");
    }
    for round in 0..3 {
        let server = fleet.serve()?;
        let mut connection = server.connect()?;
        let (path, id) = (format!("/log?line=round-{round}"), format!("round-{round}"));
        ensure!(ask(&mut connection, &shop, &path, &id)? == 200);
        until("the request is in the log", || {
            // Before the app's first request there is no log.
            Ok(logs(&fleet, &shop, &["--request", &id]).is_ok_and(|entries| entries.len() == 4))
        })?;
        server.kill_now()?;
        server.wait()?;
    }
    let entries = logs(&fleet, &shop, &[])?;
    ensure!(entries.len() == 12, "{entries:?}");
    let segments = std::fs::read_dir(fleet.data().join("logs/shop.acme"))?.count();
    ensure!(segments == 1, "each start went on in the same segment, {segments}");
    Ok(())
}

#[test]
fn who_follows_sees_what_comes() -> anyhow::Result<()> {
    let fleet = Fleet::new("")?;
    let shop = app(&fleet, "acme", "shop")?;
    for end in fleet.deploy(std::slice::from_ref(&shop))? {
        ensure!(end.is_ok(), "{end:?}");
    }
    let server = fleet.serve()?;
    let mut connection = server.connect()?;
    ensure!(ask(&mut connection, &shop, "/log?line=before", "before")? == 200);
    until("there is a log", || Ok(logs(&fleet, &shop, &[]).is_ok_and(|entries| entries.len() == 4)))?;
    let data = fleet.data();
    let follower = Follower::start("shop", &["--data-dir", data.to_str().context("a path in UTF-8")?])?;
    follower.wait_for_end("before")?;
    ensure!(ask(&mut connection, &shop, "/log?line=after", "after")? == 200);
    follower.wait_for_end("after")?;
    let lines = follower.lines();
    ensure!(lines.len() == 5, "one entry from before, four that came: {lines:?}");
    server.stop()
}
