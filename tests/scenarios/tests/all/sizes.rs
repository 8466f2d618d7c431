//! Requests that are too large end in 413, 431 and 414.

use anyhow::ensure;
use cumulet_scenarios::server::Server;

#[test]
fn a_long_target_gets_414_and_large_headers_431() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let long = "x".repeat(20 << 10);
    let reply = server.get(&format!("/p2/count?{long}"), &[])?;
    ensure!(reply.status() == 414, "{reply:?}");

    let many: Vec<String> = (0..1000).map(|n| format!("x-{n}: {}", "x".repeat(200))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let reply = server.get("/p2/count", &many)?;
    ensure!(reply.status() == 431, "{reply:?}");

    let reply = server.get("/p2/count", &[&format!("x-long: {}", "x".repeat(200 << 10))])?;
    ensure!(reply.status() == 431, "{reply:?}");
    ensure!(server.get("/p2/count", &[])?.status() == 200, "it still serves");
    server.stop()
}

#[test]
fn a_body_that_announces_too_much_gets_413() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let mut connection = server.connect()?;
    connection.request("POST", "/p2/slow-read", &["content-length: 1099511627776"])?;
    let reply = connection.reply("POST")?;
    ensure!(reply.status() == 413, "{reply:?}");
    reply.id()?;
    server.stop()
}

#[test]
fn a_body_that_streams_too_much_ends_its_invocation() -> anyhow::Result<()> {
    static PIECE: [u8; 1 << 20] = [b'.'; 1 << 20];
    let server = Server::app("http.toml")?;
    let mut connection = server.connect()?;
    connection.request("POST", "/p2/slow-read?ms=0", &["transfer-encoding: chunked", "x-request-id: endless"])?;
    // The server may stop reading before everything is out.
    let sent = (0..128).take_while(|_| connection.send_chunk(&PIECE).is_ok()).count();
    ensure!(server.outcome("endless")? == "too-large", "{} after {sent} MiB", server.outcome("endless")?);
    ensure!(server.get("/p2/count", &[])?.status() == 200, "it still serves");
    server.stop()
}
