//! Several invocations in one instance at once, because their app asked for it.

use anyhow::{Context as _, ensure};
use cumulet_scenarios::http1::{Connection, Reply};
use cumulet_scenarios::output;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::server::Server;
use serde_json::Value;

const BODY: &[u8] = b"the other half";

fn open() -> anyhow::Result<Server> {
    Server::app("reuse-together.toml")
}

/// An invocation that has answered, and waits for more of its request.
fn echo(server: &Server, id: &str) -> anyhow::Result<Connection> {
    let mut connection = server.connect()?;
    let length = format!("content-length: {}", BODY.len());
    connection.request("POST", "/echo", &[&length, &format!("x-request-id: {id}")])?;
    ensure!(connection.final_head()?.status == 200);
    Ok(connection)
}

/// Ends it.
fn finish(server: &Server, (mut connection, id): (Connection, &str)) -> anyhow::Result<Value> {
    connection.send(BODY)?;
    let mut text = Vec::new();
    while let Some(chunk) = connection.chunk()? {
        text.extend(chunk);
    }
    ensure!(text == BODY, "{id}: {text:?}");
    let event = server.invocation(id)?;
    ensure!(output::text(&event, "outcome") == Some("ok"), "{event}");
    Ok(event)
}

fn ask(server: &Server, path: &str, id: &str) -> anyhow::Result<(Reply, Value)> {
    let reply = server.get(path, &[&format!("x-request-id: {id}")])?;
    Ok((reply, server.invocation(id)?))
}

fn count(server: &Server, id: &str) -> anyhow::Result<u32> {
    let (reply, event) = ask(server, "/count", id)?;
    ensure!(reply.status() == 200, "{reply:?} {event}");
    Ok(reply.text().trim().parse()?)
}

/// A gauge of the metrics.
fn gauge(server: &Server, name: &str) -> anyhow::Result<u64> {
    let metrics = server.admin("/metrics")?.text();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    Ok(line.with_context(|| format!("no {name} in {metrics}"))?.parse()?)
}

/// Slots of invocations, each with as many as an instance of its own takes.
fn in_use(server: &Server) -> anyhow::Result<u64> {
    gauge(server, "cumulet_slots_in_use")
}

fn instances(server: &Server) -> anyhow::Result<u64> {
    gauge(server, "cumulet_instances")
}

#[test]
fn invocations_share_an_instance_and_each_is_billed_its_part() -> anyhow::Result<()> {
    let server = open()?;
    let (first, second) = (echo(&server, "first")?, echo(&server, "second")?);
    let single = instances(&server)?;
    let (reply, event) = ask(&server, "/count", "third")?;
    ensure!(reply.text() == "1\n" && event["shared"] == true, "{event}");
    for (connection, id) in [(second, "second"), (first, "first")] {
        let event = finish(&server, (connection, id))?;
        ensure!(event["shared"] == true && event["executed_us"].as_u64() > Some(0), "{event}");
    }
    // Of six there are three left; nobody shares with them.
    for (expected, id) in [(2, "fourth"), (3, "fifth"), (4, "sixth")] {
        ensure!(instances(&server)? == single, "{id}");
        let found = count(&server, id)?;
        ensure!(found == expected, "{id}: {found}");
    }
    ensure!(count(&server, "seventh")? == 1);
    ensure!(server.invocation("seventh")?["shared"] != true);
    server.stop()
}

#[test]
fn no_more_share_an_instance_than_may() -> anyhow::Result<()> {
    let server = open()?;
    let full = ["a", "b", "c"].map(|id| echo(&server, id).map(|connection| (connection, id)));
    let full = full.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let single = instances(&server)?;
    ensure!(count(&server, "beside")? == 1, "another instance has counted nothing yet");
    ensure!(instances(&server)? == 2 * single);
    full.into_iter().try_for_each(|visit| finish(&server, visit).map(drop))?;
    let counts = [count(&server, "next")?, count(&server, "after")?];
    ensure!(counts == [1, 2] || counts == [2, 3], "{counts:?}");
    server.stop()
}

#[test]
fn a_fault_ends_all_that_share_the_instance() -> anyhow::Result<()> {
    let server = open()?;
    let (mut waiting, mut echoing) = (server.connect()?, echo(&server, "echoing")?);
    let one = in_use(&server)?;
    waiting.request("GET", "/hang", &["x-request-id: waiting"])?;
    until("it is inside", || Ok(in_use(&server)? == 2 * one))?;
    let (reply, event) = ask(&server, "/panic", "panics")?;
    // Nobody can tell whose fault it was: nobody pays.
    ensure!(reply.status() == 503 && output::text(&event, "outcome") == Some("instance-lost"), "{event}");
    ensure!(waiting.reply("GET")?.status() == 503);
    ensure!(echoing.is_closed()?, "its head was out");
    for id in ["waiting", "echoing"] {
        ensure!(server.outcome(id)? == "instance-lost", "{id}");
    }
    let (reply, event) = ask(&server, "/panic", "alone")?;
    ensure!(reply.status() == 500 && output::text(&event, "outcome") == Some("trap"), "{event}");
    ensure!(count(&server, "next")? == 1);
    server.stop()
}

#[test]
fn who_uses_up_the_time_ends_its_instance() -> anyhow::Result<()> {
    let server = open()?;
    for path in ["/spin", "/spin-after-wait"] {
        let (reply, event) = ask(&server, path, &format!("alone{}", path.replace('/', "-")))?;
        ensure!(reply.status() == 504 && output::text(&event, "outcome") == Some("cpu-limit"), "{event}");
    }
    let echoing = echo(&server, "echoing")?;
    let (_reply, event) = ask(&server, "/spin-after-wait", "spins")?;
    ensure!(event["executed_us"].as_u64() < Some(400_000), "{event}");
    drop(echoing);
    // Each bore half of it; who had used more before is the one that met the limit.
    let outcomes = ["spins", "echoing"].map(|id| server.outcome(id));
    let outcomes = outcomes.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(outcomes.iter().any(|outcome| outcome == "cpu-limit"), "{outcomes:?}");
    ensure!(outcomes.iter().all(|outcome| ["cpu-limit", "instance-lost"].contains(&outcome.as_str())), "{outcomes:?}");
    ensure!(count(&server, "next")? == 1);
    let (reply, event) = ask(&server, "/allocate", "allocates")?;
    ensure!(reply.status() == 500 && output::text(&event, "outcome") == Some("memory-limit"), "{event}");
    server.stop()
}

#[test]
fn a_client_that_leaves_costs_the_others_nothing() -> anyhow::Result<()> {
    let server = open()?;
    let staying = echo(&server, "staying")?;
    let (single, one) = (instances(&server)?, in_use(&server)?);
    let mut leaving = server.connect()?;
    leaving.request("GET", "/hang", &["x-request-id: leaving"])?;
    until("it is inside", || Ok(in_use(&server)? == 2 * one))?;
    drop(leaving);
    ensure!(server.outcome("leaving")? == "client-gone");
    ensure!(count(&server, "beside")? == 1 && instances(&server)? == 2 * single, "it lets nobody in any more");
    finish(&server, (staying, "staying"))?;
    until("it has ended", || Ok(instances(&server)? == single))?;
    server.stop()
}

#[test]
fn an_instance_that_nobody_visits_ends() -> anyhow::Result<()> {
    let server = open()?;
    ensure!(count(&server, "first")? == 1);
    ensure!(gauge(&server, "cumulet_slots_reused")? == in_use(&server)? && in_use(&server)? > 0);
    until("it has ended", || Ok(instances(&server)? == 0))?;
    ensure!(in_use(&server)? == 0);
    ensure!(count(&server, "second")? == 1);
    server.stop()
}
