//! Every request gets an instance of its own.

use anyhow::ensure;
use cumulet_scenarios::server::Server;

const WORLDS: [&str; 2] = ["/p2", "/p3"];
const CONNECTIONS: usize = 8;
const CALLS: usize = 50;

#[test]
fn every_response_of_the_counting_guest_says_one() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for world in WORLDS {
        let path = format!("{world}/count");
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| calls(&server, &path))).collect();
            clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow::anyhow!("panicked"))?)
        })?;
    }
    server.stop()
}

fn calls(server: &Server, path: &str) -> anyhow::Result<()> {
    let mut connection = server.connect()?;
    for _ in 0..CALLS {
        connection.request("GET", path, &[])?;
        let reply = connection.reply("GET")?;
        ensure!(reply.status() == 200 && reply.body == b"1\n", "{path}: {reply:?}");
    }
    Ok(())
}

#[test]
fn two_instances_draw_different_random_bytes() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let (one, two) = (server.get("/p2/random", &[])?, server.get("/p2/random", &[])?);
    ensure!(one.status() == 200 && one.body.len() == 33 && one.body != two.body, "{one:?} {two:?}");
    server.stop()
}
