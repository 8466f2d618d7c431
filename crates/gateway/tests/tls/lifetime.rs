//! Certificates that change, and the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use cumulet_gateway::{Drained, HandshakeEnd};
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::client::Client;
use crate::{Server, soon};

/// How often the certificates are replaced.
const RELOADS: u32 = 500;
/// Clients that make one connection after another meanwhile.
const CLIENTS: usize = 4;
/// Connections that each of them must have had.
const CONNECTIONS_MIN: u32 = 20;

/// Asks on connection after connection, none of which may fail, until it is told to stop and has had enough of them.
async fn call_until(client: Client, address: SocketAddr, stop: Arc<AtomicBool>) {
    let mut connections = 0;
    while connections < CONNECTIONS_MIN || !stop.load(Ordering::Relaxed) {
        let got = client.get(address, "https://a.example/").await;
        assert_eq!(got.unwrap().0, 200, "after {connections}");
        connections += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_certificates_cost_no_connection() {
    let authority = Authority::new();
    let server = Server::start();
    let certificates = [authority.certificate(&["a.example"]), authority.certificate(&["a.example", "b.example"])];
    server.tls.install(&certificates[..1], None);
    let client = Client::new(&authority, &["h2"]);
    let stop = Arc::new(AtomicBool::new(false));
    let call = |_| tokio::spawn(call_until(client.clone(), server.address, Arc::clone(&stop)));
    let clients: Vec<_> = (0..CLIENTS).map(call).collect();
    // One connection lives through all of it.
    let stream = client.connect(server.address, "a.example").await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = soon(handshake).await.unwrap();
    tokio::spawn(connection);
    for reload in 0..RELOADS {
        let shown = usize::from(reload % 2 == 0);
        server.tls.install(&certificates[shown..=shown], None);
        let request = Request::get("https://a.example/kept").body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(soon(sender.send_request(request)).await.unwrap().status(), 200);
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        soon(client).await.unwrap();
    }
    for end in [HandshakeEnd::Failed, HandshakeEnd::Unfinished, HandshakeEnd::UnknownName] {
        assert_eq!(server.count(end), 0, "{end:?}");
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_from_the_next_handshake_on() {
    let (old, new) = (Authority::new(), Authority::new());
    let server = Server::start();
    server.tls.install(&[old.certificate(&["a.example"])], None);
    let (before, after) = (Client::new(&old, &["h2"]), Client::new(&new, &["h2"]));
    assert_eq!(before.get(server.address, "https://a.example/").await.unwrap().0, 200);
    server.tls.install(&[new.certificate(&["a.example", "b.example"])], None);
    assert_eq!(after.get(server.address, "https://b.example/").await.unwrap().0, 200);
    server.tls.install(&[new.certificate(&["a.example"])], None);
    let gone = after.get(server.address, "https://b.example/").await.unwrap_err();
    assert!(gone.contains("UnrecognisedName"), "also for who has been here: {gone}");
}

#[tokio::test]
async fn a_drain_finishes_requests_and_ends_handshakes() {
    let authority = Authority::new();
    for protocol in ["h2", "http/1.1"] {
        let server = Server::start();
        server.tls.install(&[authority.certificate(&["a.example"])], None);
        let client = Client::new(&authority, &[protocol]);
        let (address, guest, tls) = (server.address, server.guest.clone(), Arc::clone(&server.tls));
        let asking = tokio::spawn(async move { client.get(address, "https://a.example/gate").await });
        soon(guest.arrived.acquire()).await.unwrap().forget();
        let mut silent = TcpStream::connect(address).await.unwrap();
        soon(async {
            while tls.under_way() == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let drained = server.stop();
        let mut answer = Vec::new();
        drop(soon(silent.read_to_end(&mut answer)).await);
        assert!(answer.is_empty(), "{answer:?}");
        guest.gate.add_permits(1);
        assert_eq!(soon(asking).await.unwrap(), Ok((200, "passed".to_owned())), "{protocol}");
        assert_eq!(soon(drained).await.unwrap(), Drained { finished: 1, cut: 0 }, "{protocol}");
    }
}

#[tokio::test]
async fn a_request_whose_client_goes_away_ends() {
    let authority = Authority::new();
    let server = Server::start();
    server.tls.install(&[authority.certificate(&["a.example"])], None);
    let client = Client::new(&authority, &["http/1.1"]);
    let stream = client.connect(server.address, "a.example").await.unwrap();
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = soon(handshake).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("/gate").header("host", "a.example").body(Empty::<Bytes>::new()).unwrap();
    let asking = tokio::spawn(sender.send_request(request));
    soon(server.guest.arrived.acquire()).await.unwrap().forget();
    connection.abort();
    assert!(soon(asking).await.unwrap().is_err());
    let drained = soon(server.stop()).await.unwrap();
    assert_eq!(drained.cut, 0, "nothing is left to be cut");
}
