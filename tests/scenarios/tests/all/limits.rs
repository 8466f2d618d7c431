//! Every limit holds, ends in its outcome, and no neighbour notices.

use anyhow::{Context as _, ensure};
use cumulet_scenarios::cases::cases;
use cumulet_scenarios::http1::Reply;
use cumulet_scenarios::neighbour::Neighbour;
use cumulet_scenarios::output;
use cumulet_scenarios::server::Server;

/// The neighbour's path: a guest that counts its calls.
const NEIGHBOUR: &str = "/neighbour/count";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    path: String,
    status: u16,
    outcome: String,
    #[serde(default)]
    cut: bool,
    /// The guest answers before it fails. Where its slice ends in between, as on a busy machine, the answer is out already.
    #[serde(default)]
    answers_first: bool,
    #[serde(default)]
    withhold: bool,
    #[serde(default)]
    upload_bytes: usize,
}

#[test]
fn every_limit_holds_and_no_neighbour_notices() -> anyhow::Result<()> {
    let cases: Vec<Case> = cases("limits.toml")?;
    let server = Server::app("limits.toml")?;
    let neighbour = Neighbour::call(server.address, NEIGHBOUR);
    let mut failures = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        if let Err(error) = check(&server, case, &format!("limit-{index}")) {
            failures.push(format!("{}: {error:#}", case.path));
        }
    }
    let calls = neighbour.finish()?;
    ensure!(calls > 0, "the neighbour made no call");
    ensure!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
    server.stop()
}

#[test]
fn hostile_guests_all_at_once_do_not_disturb_a_neighbour() -> anyhow::Result<()> {
    let server = Server::app("limits.toml")?;
    let neighbour = Neighbour::call(server.address, NEIGHBOUR);
    let paths = ["/cpu/spin", "/cpu/spin-bulk", "/p3/cpu/spin", "/time/hang", "/memory/allocate", "/cpu/panic"];
    let attacks: Vec<anyhow::Result<Reply>> = std::thread::scope(|scope| {
        let threads: Vec<_> = paths.iter().cycle().take(24).map(|path| scope.spawn(|| server.get(path, &[]))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow::anyhow!("panicked"))?).collect()
    });
    let calls = neighbour.finish()?;
    ensure!(calls > 0, "the neighbour made no call");
    for attack in attacks {
        let attack = attack?;
        ensure!(attack.status() >= 500, "{attack:?}");
    }
    server.stop()
}

#[test]
fn over_its_concurrency_an_app_gets_429_and_recovers() -> anyhow::Result<()> {
    let server = Server::app("limits.toml")?;
    let mut first = server.connect()?;
    // It streams, so that it is known to run while the second one comes.
    first.request("POST", "/one/echo", &["transfer-encoding: chunked"])?;
    first.send_chunk(b"running")?;
    first.head()?;
    ensure!(first.chunk()?.context("an echo")? == b"running", "the first one runs");

    let refused = server.get("/one/count", &[])?;
    ensure!(refused.status() == 429, "{refused:?}");
    ensure!(refused.header("retry-after").is_some(), "{refused:?}");
    let neighbour = server.get(NEIGHBOUR, &[])?;
    ensure!(neighbour.status() == 200, "{neighbour:?}");

    first.send_chunk(b"")?;
    ensure!(first.chunk()?.is_none(), "the first one ends");
    first.trailers()?;
    let served = server.get("/one/count", &[])?;
    ensure!(served.status() == 200, "{served:?}");
    server.stop()
}

#[test]
fn memory_asked_for_politely_stays_below_the_limit() -> anyhow::Result<()> {
    let server = Server::app("limits.toml")?;
    let reply = server.get("/memory/allocate-politely", &[])?;
    let got: u64 = reply.text().trim().parse()?;
    ensure!((8 << 20..32 << 20).contains(&got), "{got} bytes of 32 MiB");
    let event = server.invocation(reply.id()?)?;
    ensure!(output::text(&event, "outcome") == Some("ok"), "{event}");
    server.stop()
}

#[test]
fn a_client_that_stops_sending_or_reading_meets_the_deadline() -> anyhow::Result<()> {
    let server = Server::app("limits.toml")?;
    let mut silent = server.connect()?;
    silent.request("POST", "/time/slow-read", &["content-length: 10", "x-request-id: silent"])?;
    let reply = silent.reply("POST")?;
    ensure!(reply.status() == 504, "{reply:?}");
    ensure!(server.outcome("silent")? == "deadline", "{}", server.outcome("silent")?);

    for (path, id) in [("/time/flood-body", "deaf"), ("/p3/time/flood-body", "deaf-p3")] {
        let mut deaf = server.connect()?;
        deaf.request("GET", path, &[&format!("x-request-id: {id}")])?;
        ensure!(server.outcome(id)? == "deadline", "{path}: {}", server.outcome(id)?);
    }
    server.stop()
}

fn check(server: &Server, case: &Case, id: &str) -> anyhow::Result<()> {
    let reply = call(server, case, id)?;
    if case.answers_first && reply.status() == 200 {
        let outcome = server.outcome(id)?;
        ensure!(outcome == case.outcome, "outcome {outcome} after its answer, not {}", case.outcome);
        return Ok(());
    }
    ensure!(reply.status() == case.status, "status {} with {:?}, not {}", reply.status(), reply.text(), case.status);
    ensure!(reply.complete != case.cut, "complete: {}", reply.complete);
    ensure!(reply.id()? == id, "the response is for {}", reply.id()?);
    let outcome = server.outcome(id)?;
    ensure!(outcome == case.outcome, "outcome {outcome}, not {}", case.outcome);
    Ok(())
}

fn call(server: &Server, case: &Case, id: &str) -> anyhow::Result<Reply> {
    let id = format!("x-request-id: {id}");
    if case.withhold {
        return call_withholding(server, &case.path, &id);
    }
    if case.upload_bytes == 0 {
        return server.get(&case.path, &[&id]);
    }
    let mut connection = server.connect()?;
    connection.request("POST", &case.path, &[&id, &format!("content-length: {}", case.upload_bytes)])?;
    // The server may answer and close before it has read everything.
    let _sent = connection.send(&vec![b'x'; case.upload_bytes]);
    connection.reply("POST")
}

fn call_withholding(server: &Server, path: &str, id: &str) -> anyhow::Result<Reply> {
    let mut connection = server.connect()?;
    connection.request("POST", path, &[id, "transfer-encoding: chunked"])?;
    let head = connection.final_head()?;
    connection.send_chunk(b"")?;
    connection.rest("POST", head)
}
