//! Clients that leave, servers that drain, revisions that are swapped.

use std::path::Path;

use anyhow::{Context as _, ensure};
use cumulet_scenarios::http1::Connection;
use cumulet_scenarios::paths;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::server::Server;

const WORLDS: [&str; 2] = ["/p2", "/p3"];

/// A request that is known to run: its guest has echoed a first chunk.
fn running(server: &Server, path: &str, id: &str) -> anyhow::Result<Connection> {
    let mut connection = server.connect()?;
    connection.request("POST", path, &["transfer-encoding: chunked", &format!("x-request-id: {id}")])?;
    connection.send_chunk(b"running")?;
    let head = connection.head()?;
    ensure!(head.status == 200, "{path}: {head:?}");
    ensure!(connection.chunk()?.context("an echo")? == b"running", "{path} does not echo");
    Ok(connection)
}

/// Sends a last chunk, reads its echo and the end of the response.
fn finish(mut connection: Connection) -> anyhow::Result<()> {
    connection.send_chunk(b"the end")?;
    ensure!(connection.chunk()?.context("an echo")? == b"the end", "it does not echo");
    connection.send_chunk(b"")?;
    ensure!(connection.chunk()?.is_none(), "it does not end");
    connection.trailers()?;
    Ok(())
}

#[test]
fn a_client_that_leaves_cancels_its_guest() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for (world, id) in WORLDS.into_iter().zip(["gone-p2", "gone-p3"]) {
        drop(running(&server, &format!("{world}/echo"), id)?);
        ensure!(server.outcome(id)? == "client-gone", "{world}: {}", server.outcome(id)?);
    }
    for (world, id) in WORLDS.into_iter().zip(["left-p2", "left-p3"]) {
        let mut connection = server.connect()?;
        connection.request("GET", &format!("{world}/hang"), &[&format!("x-request-id: {id}")])?;
        // A client that is gone before its request was read never had an invocation.
        until("the guest runs", || Ok(server.admin("/metrics")?.text().contains("cumulet_slots_in_use 1\n")))?;
        drop(connection);
        ensure!(server.outcome(id)? == "client-gone", "{world}: {}", server.outcome(id)?);
    }
    server.stop()
}

#[test]
fn a_draining_server_finishes_what_runs_and_takes_nothing_new() -> anyhow::Result<()> {
    for world in WORLDS {
        let server = Server::app("http.toml")?;
        let request = running(&server, &format!("{world}/echo"), "last")?;
        let mut idle = server.connect()?;
        idle.request("GET", "/p2/count", &[])?;
        idle.reply("GET")?;
        server.terminate()?;
        until("new connections are refused", || Ok(server.connect().is_err()))?;
        // A connection from before is closed or told so.
        if idle.request("GET", "/p2/count", &[]).is_ok()
            && let Ok(reply) = idle.reply("GET")
        {
            ensure!(reply.status() == 503 && reply.header("retry-after").is_some(), "{reply:?}");
        }
        finish(request)?;
        let stderr = server.stderr.clone();
        ensure!(server.wait()?.success(), "{world}: {}", stderr.lines().join("\n"));
        let last = stderr.lines().into_iter().find(|line| line.contains("\"last\"") && line.contains("outcome"));
        ensure!(last.is_some_and(|line| line.contains("\"ok\"")), "{world}: {}", stderr.lines().join("\n"));
    }
    Ok(())
}

#[test]
fn a_second_signal_ends_a_drain_at_once() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let mut request = running(&server, "/p2/echo", "endless")?;
    server.terminate()?;
    until("it drains", || Ok(server.connect().is_err()))?;
    server.terminate()?;
    ensure!(server.wait()?.code() == Some(1), "what was cut is no success");
    ensure!(request.chunk().is_err(), "its client is told by the connection");
    Ok(())
}

#[test]
fn a_server_with_nothing_to_do_stops_at_once() -> anyhow::Result<()> {
    Server::app("http.toml")?.stop()
}

/// An app in `folder` whose build copies `src/guest.wasm`.
fn watched_app(folder: &Path, guest: &str) -> anyhow::Result<()> {
    std::fs::create_dir(folder.join("src"))?;
    std::fs::copy(paths::guest(guest)?, folder.join("src/guest.wasm"))?;
    let manifest = r#"
manifest = 1
[app]
name = "watched"
[component.guest]
source = "out.wasm"
build = { command = "cp src/guest.wasm out.wasm", dir = ".", watch = ["src/*"] }
[[trigger.http]]
route = "/*"
component = "guest"
"#;
    Ok(std::fs::write(folder.join("cumulet.toml"), manifest)?)
}

/// Puts `source` in place of `src/guest.wasm` in one step.
fn replace_guest(folder: &Path, source: &Path) -> anyhow::Result<()> {
    std::fs::copy(source, folder.join("new.wasm"))?;
    Ok(std::fs::rename(folder.join("new.wasm"), folder.join("src/guest.wasm"))?)
}

#[test]
fn watch_swaps_revisions_without_dropping_a_request() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    watched_app(folder.path(), "hostile.wasm")?;
    let server = Server::up(folder.path(), &["--watch"])?;
    let neighbour = cumulet_scenarios::neighbour::Neighbour::call(server.address, "/count");
    let across = running(&server, "/echo", "across")?;
    // Only the 0.2 guest knows `stdin`; the other answers 404 itself.
    ensure!(server.get("/stdin", &[])?.status() == 200, "the first revision serves");

    replace_guest(folder.path(), &paths::guest("hostile_p3.wasm")?)?;
    until("the second revision serves", || Ok(server.get("/stdin", &[])?.status() == 404))?;
    finish(across)?;
    ensure!(server.outcome("across")? == "ok", "the request that ran across the swap");

    std::fs::write(folder.path().join("broken"), "not a component")?;
    replace_guest(folder.path(), &folder.path().join("broken"))?;
    server.stderr.wait_for("word of the broken component", |line| line.contains("out.wasm").then_some(()))?;
    ensure!(server.get("/count", &[])?.status() == 200, "the last good revision serves on");

    replace_guest(folder.path(), &paths::guest("hostile.wasm")?)?;
    until("the repaired revision serves", || Ok(server.get("/stdin", &[])?.status() == 200))?;
    let calls = neighbour.finish()?;
    ensure!(calls > 0, "no request was made meanwhile");
    server.stop()
}

#[test]
fn a_bare_component_serves_every_route() -> anyhow::Result<()> {
    for file in ["hostile.wasm", "hostile_p3.wasm"] {
        let server = Server::up(&paths::guest(file)?, &[])?;
        for path in ["/count", "/a/b/count", "/count?x=1"] {
            let reply = server.get(path, &[])?;
            ensure!(reply.status() == 200 && reply.body == b"1\n", "{file} {path}: {reply:?}");
        }
        server.stop()?;
    }
    Ok(())
}

#[test]
fn a_folder_means_the_manifest_in_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    watched_app(folder.path(), "hostile.wasm")?;
    let server = Server::up(folder.path(), &[])?;
    ensure!(server.get("/count", &[])?.body == b"1\n", "it was built and serves");
    server.stop()
}
