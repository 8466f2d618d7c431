//! Instances that are made before their request comes, where nobody could tell the difference.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use cumulet_scenarios::output;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::server::Server;
use serde_json::Value;

/// Requests after which an instance that may be made ahead has been, and one that may not never will be.
const REQUESTS: u32 = 20;
/// Executed time that no machine falls short of for what the guest does before its request, in microseconds.
const WORK_US: u64 = 10;

/// The answer of a component to its request of this number, and its event.
fn ask(server: &Server, component: &str, number: u32) -> anyhow::Result<(String, Value)> {
    let id = format!("{component}-{number}");
    let reply = server.get(&format!("/{component}/count"), &[&format!("x-request-id: {id}")])?;
    Ok((reply.text(), server.invocation(&id)?))
}

/// Invocations so far whose instance was there before them.
fn found_made(server: &Server) -> anyhow::Result<u64> {
    let metrics = server.admin("/metrics")?.text();
    let value = metrics.lines().find_map(|line| line.strip_prefix("cumulet_made_ahead_total "));
    Ok(value.context("no such counter")?.parse()?)
}

#[test]
fn an_instance_that_was_made_ahead_is_as_fresh_as_any() -> anyhow::Result<()> {
    let server = Server::app("ahead.toml")?;
    let (mut numbers, mut asked) = (BTreeSet::new(), 0);
    until("some are made ahead", || {
        for _ in 0..REQUESTS {
            let (answer, event) = ask(&server, "plain", asked)?;
            let number = answer.strip_prefix("begun 1, served 1, number ").with_context(|| answer.clone())?;
            ensure!(numbers.insert(number.to_owned()), "two instances drew {number}");
            ensure!(output::text(&event, "outcome") == Some("ok"), "{event}");
            ensure!(event["executed_us"].as_u64() >= Some(WORK_US), "who takes it pays for its beginning: {event}");
            ensure!(event["memory_peak_bytes"].as_u64() > Some(0) && event.get("shared").is_none(), "{event}");
            asked += 1;
        }
        Ok(found_made(&server)? >= u64::from(REQUESTS))
    })?;
    until("one waits", || {
        ask(&server, "plain", asked)?;
        asked += 1;
        Ok(server.admin("/metrics")?.text().contains("cumulet_slots_reused 1\n"))
    })?;
    server.stop()
}

#[test]
fn one_that_nobody_takes_ends() -> anyhow::Result<()> {
    let server = Server::app("ahead.toml")?;
    let waiting = |count: u32| -> anyhow::Result<bool> {
        Ok(server.admin("/metrics")?.text().contains(&format!("cumulet_slots_reused {count}\n")))
    };
    let mut asked = 0;
    until("one waits", || {
        ask(&server, "plain", asked)?;
        asked += 1;
        waiting(1)
    })?;
    until("it has ended", || waiting(0))?;
    let metrics = server.admin("/metrics")?.text();
    ensure!(metrics.contains("cumulet_slots_in_use 0\n") && metrics.contains("cumulet_instances 0\n"), "{metrics}");
    let (answer, event) = ask(&server, "plain", asked)?;
    ensure!(answer.starts_with("begun 1, served 1, "), "{answer} {event}");
    server.stop()
}

#[test]
fn one_of_wasi_03_is_made_ahead_too() -> anyhow::Result<()> {
    let server = Server::app("ahead.toml")?;
    let mut asked = 0;
    until("some are made ahead", || {
        let (answer, event) = ask(&server, "p3", asked)?;
        ensure!(answer == "1\n", "{answer:?} {event}");
        asked += 1;
        Ok(found_made(&server)? > 0)
    })?;
    server.stop()
}

#[test]
fn what_could_tell_is_made_with_its_request() -> anyhow::Result<()> {
    for component in ["time", "print", "config", "sleep", "spin", "panic", "folder"] {
        let server = Server::app("ahead.toml")?;
        for number in 0..REQUESTS {
            let (answer, event) = ask(&server, component, number)?;
            let (outcome, begins) = if component == "panic" { ("trap", "") } else { ("ok", "begun 1, served 1, ") };
            ensure!(output::text(&event, "outcome") == Some(outcome) && answer.starts_with(begins), "{answer} {event}");
        }
        ensure!(found_made(&server)? == 0, "{component} was made ahead");
        server.stop()?;
    }
    Ok(())
}
