//! Calls between components of one app stay in the process.

use anyhow::ensure;
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;

#[test]
fn a_granted_component_answers_and_no_other() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let grant = "http = [\"http://back.internal\", \"http://nobody.internal\"]";
    let components = [("front", "hostile.wasm", grant), ("back", "hostile.wasm", ""), ("other", "hostile_p3.wasm", "")];
    let server = Server::up(&paths::manifest(folder.path(), &components)?, &[])?;
    for (to, expected) in [
        ("http://back.internal/count", "status 200"),
        ("http://back.internal/status?code=418", "status 418"),
        // A guest that fails is a status to its caller, like to any client.
        ("http://back.internal/panic", "status 500"),
        ("http://nobody.internal/", "DnsError"),
        ("http://other.internal/", "HttpRequestDenied"),
        ("https://back.internal/", "HttpRequestDenied"),
        ("http://back.internal:81/", "HttpRequestDenied"),
    ] {
        let reply = server.get(&format!("/front/outbound?url={to}"), &[])?;
        ensure!(reply.text().contains(expected), "{to}: {reply:?}");
    }
    let reply = server.get("/back/outbound?url=http://front.internal/count", &[])?;
    ensure!(reply.text().contains("HttpRequestDenied"), "{reply:?}");
    server.stop()
}

#[test]
fn a_call_is_an_invocation_under_the_same_id() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let components = [("front", "hostile.wasm", "http = [\"http://back.internal\"]"), ("back", "hostile_p3.wasm", "")];
    let server = Server::up(&paths::manifest(folder.path(), &components)?, &[])?;
    let reply = server.get("/front/outbound?url=http://back.internal/count", &["x-request-id: chain-1"])?;
    ensure!(reply.text().contains("status 200"), "{reply:?}");
    let stderr = server.stderr.clone();
    server.stop()?;
    let events: Vec<_> =
        stderr.lines().into_iter().filter(|line| line.contains("\"invocation\",\"request_id\":\"chain-1\"")).collect();
    ensure!(events.len() == 2, "{events:#?}");
    ensure!(events.iter().any(|event| event.contains("\"front\"")), "{events:#?}");
    ensure!(events.iter().any(|event| event.contains("\"back\"")), "{events:#?}");
    Ok(())
}

#[test]
fn a_circle_of_calls_ends() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let components = [("round", "hostile.wasm", "http = [\"http://round.internal\"]")];
    let server = Server::up(&paths::manifest(folder.path(), &components)?, &[])?;
    let mut path = "/round/count".to_owned();
    for _ in 0..12 {
        path = format!("/round/outbound?url=http://round.internal{path}");
    }
    let reply = server.get(&path, &["x-request-id: circle-1"])?;
    ensure!(reply.text().contains("status 200"), "{reply:?}");
    let stderr = server.stderr.clone();
    server.stop()?;
    let invocations: Vec<_> =
        stderr.lines().into_iter().filter(|line| line.contains("\"invocation\",\"request_id\":\"circle-1\"")).collect();
    ensure!(invocations.len() == 9, "the first, and eight inside one another, not {invocations:#?}");
    Ok(())
}
