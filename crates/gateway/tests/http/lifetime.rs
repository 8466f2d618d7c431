//! Beginnings and ends: of requests whose client is gone, of connections that do nothing, of the gateway.

use std::time::Duration;

use cumulet_gateway::{BindError, Drained, Gateway, GatewayConfig};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::handler::{Event, Guest};
use crate::wire::{http2, read_to_end, read_until, statuses, talk};
use crate::{Server, soon};

/// Short enough to wait for; nothing is asserted about how long it takes.
const SHORT: Duration = Duration::from_millis(100);

async fn ask(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_handler() {
    let server = Server::start(GatewayConfig::default());
    let stream = ask(&server, "/hang").await;
    assert_eq!(soon(server.guest.event()).await, Event::Arrived);
    drop(stream);
    assert_eq!(soon(server.guest.event()).await, Event::Dropped);
    let mut client = http2(server.address).await;
    let request = client.send_request(Request::get("http://a/hang").body(Empty::new().boxed_unsync()).unwrap());
    let request = tokio::spawn(request);
    assert_eq!(soon(server.guest.event()).await, Event::Arrived);
    request.abort();
    assert_eq!(soon(server.guest.event()).await, Event::Dropped);
}

#[tokio::test]
async fn a_panic_is_a_500_and_ends_nothing_else() {
    let server = Server::start(GatewayConfig::default());
    let requests = "GET /panic HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert_eq!(statuses(&talk(server.address, requests.as_bytes()).await), [500, 200]);
}

#[tokio::test]
async fn a_body_that_fails_has_no_last_chunk() {
    let server = Server::start(GatewayConfig::default());
    let answer = read_to_end(&mut ask(&server, "/fail").await).await;
    assert_eq!(statuses(&answer), [200]);
    assert!(answer.ends_with("begun\r\n"), "what came before the failure must arrive, and no last chunk: {answer}");
    let mut client = http2(server.address).await;
    let request = Request::get("http://a/fail").body(Empty::new().boxed_unsync()).unwrap();
    let outcome = match soon(client.send_request(request)).await {
        Ok(response) => soon(response.into_body().collect()).await.map(drop),
        Err(error) => Err(error),
    };
    assert!(outcome.is_err(), "the stream ended as if it were whole");
    let request = Request::get("http://a/").body(Empty::new().boxed_unsync()).unwrap();
    assert_eq!(soon(client.send_request(request)).await.unwrap().status(), 200, "the connection must go on");
}

#[tokio::test]
async fn connections_that_do_nothing_are_closed() {
    let idle = GatewayConfig { idle_timeout: SHORT, ..GatewayConfig::default() };
    let head = GatewayConfig { header_read_timeout: SHORT, ..GatewayConfig::default() };
    let server = Server::start(idle);
    let mut stream = ask(&server, "/").await;
    assert_eq!(statuses(&read_to_end(&mut stream).await), [200]);
    let mut client = http2(server.address).await;
    let request = Request::get("http://a/").body(Empty::new().boxed_unsync()).unwrap();
    drop(soon(client.send_request(request)).await.unwrap());
    while soon(client.ready()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let server = Server::start(head);
    for begun in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost:"] {
        assert_eq!(talk(server.address, begun.as_bytes()).await, "", "{begun:?}");
    }
    let mut stream = ask(&server, "/").await;
    read_until(&mut stream, "\r\n\r\n").await;
    stream.write_all(b"GET / HTTP/1.1\r\nx-half:").await.unwrap();
    let rest = read_to_end(&mut stream).await;
    assert!(statuses(&rest).is_empty(), "{rest}");
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut() {
    let server = Server::start(GatewayConfig {
        stall_timeout: SHORT,
        drain_timeout: super::PATIENCE,
        ..GatewayConfig::default()
    });
    let stream = ask(&server, "/flood").await;
    soon(stream.readable()).await.unwrap();
    // The drain would wait for the endless response: that it ends shows that the connection was cut.
    let drained = soon(server.stop()).await.unwrap();
    assert_eq!(drained.cut, 0, "{drained:?}");
}

#[tokio::test]
async fn a_drain_finishes_what_runs_and_ends_what_does_not() {
    let server = Server::start(GatewayConfig::default());
    let untouched = TcpStream::connect(server.address).await.unwrap();
    let mut kept_alive = ask(&server, "/").await;
    read_until(&mut kept_alive, "\r\n\r\n").await;
    let mut running = ask(&server, "/gate").await;
    assert_eq!(soon(server.guest.event()).await, Event::Arrived);
    let (address, gate) = (server.address, server.guest.gate.clone());
    let served = server.stop();
    for mut idle in [untouched, kept_alive] {
        read_to_end(&mut idle).await;
    }
    assert!(TcpStream::connect(address).await.is_err(), "the listener is still open");
    gate.add_permits(1);
    let answer = read_to_end(&mut running).await;
    assert!(answer.contains("connection: close") && answer.ends_with("passed"), "{answer}");
    assert_eq!(soon(served).await.unwrap(), Drained { finished: 1, cut: 0 });
}

#[tokio::test]
async fn a_drain_cuts_what_takes_too_long() {
    let server = Server::start(GatewayConfig { drain_timeout: SHORT, ..GatewayConfig::default() });
    let mut client = http2(server.address).await;
    let mut stream = ask(&server, "/hang").await;
    let stuck =
        tokio::spawn(client.send_request(Request::get("http://a/hang").body(Empty::new().boxed_unsync()).unwrap()));
    for _ in 0..2 {
        assert_eq!(soon(server.guest.event()).await, Event::Arrived);
    }
    let guest = server.guest.clone();
    assert_eq!(soon(server.stop()).await.unwrap(), Drained { finished: 0, cut: 2 });
    for _ in 0..2 {
        assert_eq!(soon(guest.event()).await, Event::Dropped);
    }
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(soon(stuck).await.unwrap().is_err());
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits() {
    let server = Server::start(GatewayConfig { connections_max: 1, ..GatewayConfig::default() });
    let mut first = ask(&server, "/gate").await;
    assert_eq!(soon(server.guest.event()).await, Event::Arrived);
    let mut second = ask(&server, "/gate").await;
    server.guest.gate.add_permits(1);
    read_until(&mut first, "passed").await;
    assert!(server.guest.is_quiet().await, "the second connection was accepted beside the first");
    drop(first);
    assert_eq!(soon(server.guest.event()).await, Event::Arrived);
    server.guest.gate.add_permits(1);
    read_until(&mut second, "passed").await;
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let server = Server::start(GatewayConfig::default());
    let error: BindError = Gateway::bind(server.address, GatewayConfig::default(), Guest::new()).err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen on {}", server.address));
    assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
}
