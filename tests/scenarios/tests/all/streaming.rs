//! Bodies in both directions at once, trailers, `expect: 100-continue`.

use anyhow::{Context as _, ensure};
use cumulet_scenarios::server::Server;

const WORLDS: [&str; 2] = ["/p2", "/p3"];

#[test]
fn each_chunk_comes_back_before_the_next_is_sent() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for world in WORLDS {
        let mut connection = server.connect()?;
        connection.request("POST", &format!("{world}/echo"), &["transfer-encoding: chunked"])?;
        connection.send_chunk(b"chunk 0")?;
        let head = connection.head()?;
        ensure!(head.status == 200, "{world}: {head:?}");
        for n in 0..10 {
            let expected = format!("chunk {n}");
            let mut echoed = Vec::new();
            // A server may cut a chunk in pieces; it may not keep any back.
            while echoed.len() < expected.len() {
                echoed.extend(connection.chunk()?.with_context(|| format!("{world}: ended before {n}"))?);
            }
            ensure!(echoed == expected.as_bytes(), "{world}: {:?}", String::from_utf8_lossy(&echoed));
            connection.send_chunk(format!("chunk {}", n + 1).as_bytes())?;
        }
        connection.send_chunk(b"")?;
        while connection.chunk()?.is_some() {}
    }
    server.stop()
}

#[test]
fn a_large_body_passes_through_whole() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let sent: Vec<u8> = (0..8_u32 << 20).map(|n| (n % 251) as u8).collect();
    for world in WORLDS {
        let mut connection = server.connect()?;
        let mut reader = connection.try_clone()?;
        connection.request("POST", &format!("{world}/echo"), &[&format!("content-length: {}", sent.len())])?;
        let reply = std::thread::scope(|scope| {
            let reply = scope.spawn(|| reader.reply("POST"));
            connection.send(&sent)?;
            reply.join().map_err(|_| anyhow::anyhow!("the reader panicked"))?
        })?;
        ensure!(reply.complete && reply.body == sent, "{world}: {} of {} bytes", reply.body.len(), sent.len());
    }
    server.stop()
}

#[test]
fn a_guest_sends_trailers() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for world in WORLDS {
        let reply = server.get(&format!("{world}/trailers"), &["te: trailers"])?;
        ensure!(reply.body == b"a body\n" && reply.complete, "{world}: {reply:?}");
        ensure!(reply.trailer("x-checksum") == Some("42"), "{world}: {reply:?}");
    }
    server.stop()
}

#[test]
fn a_guest_reads_trailers() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for world in WORLDS {
        let mut connection = server.connect()?;
        let headers = ["transfer-encoding: chunked", "trailer: x-sum", "te: trailers"];
        connection.request("POST", &format!("{world}/echo"), &headers)?;
        connection.send(b"2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n")?;
        let reply = connection.reply("POST")?;
        ensure!(reply.body == b"hi" && reply.complete, "{world}: {reply:?}");
        // The echo names no `trailer` header, without which HTTP/1.1 servers may drop them: over HTTP/2 they have to come.
        ensure!(reply.trailer("x-sum").is_none_or(|sum| sum == "7"), "{world}: {reply:?}");
    }
    server.stop()
}

#[test]
fn a_client_that_asks_first_is_told_to_continue() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for world in WORLDS {
        let mut connection = server.connect()?;
        // This guest reads before it answers, so it is the reading that asks for the body.
        connection.request("POST", &format!("{world}/slow-read"), &["content-length: 5", "expect: 100-continue"])?;
        let interim = connection.head()?;
        ensure!(interim.status == 100, "{world}: {interim:?}");
        connection.send(b"hello")?;
        let reply = connection.reply("POST")?;
        ensure!(reply.status() == 200 && reply.body == b"5\n", "{world}: {reply:?}");
    }
    // Where nothing reads the body, nobody asks for it.
    let mut connection = server.connect()?;
    connection.request("POST", "/nowhere", &["content-length: 5", "expect: 100-continue"])?;
    let head = connection.head()?;
    ensure!(head.status == 404, "{head:?}");
    server.stop()
}

#[test]
fn what_a_guest_does_after_its_response_delays_nobody() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for (world, id) in WORLDS.into_iter().zip(["after-p2", "after-p3"]) {
        let reply = server.get(&format!("{world}/after"), &[&format!("x-request-id: {id}")])?;
        ensure!(reply.status() == 200 && reply.body == b"done\n" && reply.complete, "{world}: {reply:?}");
        ensure!(server.outcome(id)? == "ok", "{world}");
        server.stderr.wait_for("line of the guest", |line| line.contains("after the response").then_some(()))?;
    }
    server.stop()
}
