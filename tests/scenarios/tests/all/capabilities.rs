//! What is not granted is denied with the interface's own error, and what is granted is no more than that.

use anyhow::ensure;
use cumulet_scenarios::listener::Listener;
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;

#[test]
fn without_a_grant_there_is_no_environment_no_folder_and_no_input() -> anyhow::Result<()> {
    let server = Server::app("grants.toml")?;
    for (path, expected) in [
        ("/denied/env", ""),
        ("/denied-p3/env", ""),
        ("/denied/files", ""),
        ("/denied/files?open=/assets/hello.txt", "refused"),
        ("/denied/stdin", "0\n"),
    ] {
        let reply = server.get(path, &[])?;
        let text = reply.text();
        ensure!(reply.status() == 200 && text.starts_with(expected), "{path}: {reply:?}");
        ensure!(!expected.is_empty() || text.is_empty(), "{path}: {reply:?}");
    }
    server.stop()
}

#[test]
fn without_a_grant_sockets_are_refused_and_nobody_is_reached() -> anyhow::Result<()> {
    let server = Server::app("grants.toml")?;
    let listener = Listener::start()?;
    let reply = server.get(&format!("/denied/connect?port={}", listener.address.port()), &[])?;
    let text = reply.text();
    for line in ["tcp-connect access-denied", "tcp-listen access-denied", "udp-bind access-denied"] {
        ensure!(text.contains(line), "no {line} in {text:?}");
    }
    // Name lookup has an error of its own for this.
    ensure!(!text.contains("resolved"), "{text:?}");
    ensure!(listener.visits() == 0, "{} connections came", listener.visits());
    server.stop()
}

#[test]
fn without_a_grant_no_outbound_request_is_sent() -> anyhow::Result<()> {
    let server = Server::app("grants.toml")?;
    let listener = Listener::start()?;
    for component in ["denied", "denied-p3", "granted"] {
        let reply = server.get(&format!("/{component}/outbound?url=http://{}/", listener.address), &[])?;
        ensure!(reply.text().contains("HttpRequestDenied"), "{component}: {reply:?}");
    }
    ensure!(listener.visits() == 0, "{} connections came", listener.visits());
    server.stop()
}

#[test]
fn an_outbound_grant_reaches_its_origin_and_no_other() -> anyhow::Result<()> {
    let (listener, other) = (Listener::start()?, Listener::start()?);
    let grant = format!("http = [\"http://{}\"]", listener.address);
    let server = granted(&[("p2", "hostile.wasm", &grant), ("p3", "hostile_p3.wasm", &grant)])?;
    for world in ["p2", "p3"] {
        let reply = server.get(&format!("/{world}/outbound?url=http://{}/", listener.address), &[])?;
        ensure!(reply.text() == "status 204\n", "{world}: {reply:?}");
        let reply = server.get(&format!("/{world}/outbound?url=http://{}/", other.address), &[])?;
        ensure!(reply.text().contains("HttpRequestDenied"), "{world}: {reply:?}");
        // The same machine under a name that was not granted.
        let url = format!("http://localhost:{}/", listener.address.port());
        let reply = server.get(&format!("/{world}/outbound?url={url}"), &[])?;
        ensure!(reply.text().contains("HttpRequestDenied"), "{world}: {reply:?}");
    }
    ensure!(listener.visits() == 2 && other.visits() == 0, "{} and {}", listener.visits(), other.visits());
    server.stop()
}

/// Serves components with these names, guests and grants, each at `/NAME/*`.
fn granted(components: &[(&str, &str, &str)]) -> anyhow::Result<Server> {
    let folder = tempfile::tempdir()?;
    Server::up(&paths::manifest(folder.path(), components)?, &[])
}

#[test]
fn a_network_grant_reaches_its_port_and_no_other() -> anyhow::Result<()> {
    let (listener, other) = (Listener::start()?, Listener::start()?);
    let grant = format!("network = [\"tcp:127.0.0.1:{}\"]", listener.address.port());
    let server = granted(&[("guest", "hostile.wasm", &grant)])?;
    let reply = server.get(&format!("/guest/connect?port={}", listener.address.port()), &[])?;
    let text = reply.text();
    ensure!(text.contains("tcp-connect connected"), "{text:?}");
    // The grant is for going out, over TCP, to an address: nothing else of the network comes with it.
    ensure!(text.contains("tcp-listen access-denied") && text.contains("udp-bind access-denied"), "{text:?}");
    ensure!(!text.contains("resolved"), "{text:?}");
    let reply = server.get(&format!("/guest/connect?port={}", other.address.port()), &[])?;
    ensure!(reply.text().contains("tcp-connect access-denied"), "{reply:?}");
    ensure!(listener.visits() == 1 && other.visits() == 0, "{} and {}", listener.visits(), other.visits());
    server.stop()
}

#[test]
fn a_granted_folder_is_read_only_and_has_no_way_out() -> anyhow::Result<()> {
    let server = Server::app("grants.toml")?;
    let reply = server.get("/granted/files?open=/assets/hello.txt&write=/assets/new.txt", &[])?;
    let text = reply.text();
    ensure!(text.contains("preopen /assets\n"), "{text:?}");
    ensure!(text.contains("read a granted file\n"), "{text:?}");
    ensure!(text.contains("write refused"), "{text:?}");
    ensure!(!text.contains("escaped"), "{text:?}");
    let reply = server.get("/granted/files?open=/assets/../secret.txt", &[])?;
    ensure!(reply.text().contains("refused") && !reply.text().contains("no guest"), "{reply:?}");
    let reply = server.get("/granted/env", &[])?;
    ensure!(reply.text() == "env LOG=info\n", "{reply:?}");
    server.stop()
}

#[test]
fn env_given_on_the_command_line_goes_to_every_component() -> anyhow::Result<()> {
    let server = Server::up(&paths::app("grants.toml")?, &["--env", "EXTRA=1"])?;
    for path in ["/denied/env", "/denied-p3/env"] {
        let reply = server.get(path, &[])?;
        ensure!(reply.text() == "env EXTRA=1\n", "{path}: {reply:?}");
    }
    server.stop()
}
