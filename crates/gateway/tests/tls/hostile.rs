//! Clients that do not mean it, and what they cost others: nothing.

use std::time::Duration;

use cumulet_gateway::{GatewayConfig, HandshakeEnd, TlsSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::client::Client;
use crate::{Server, soon};

/// Short enough to wait for; nothing is asserted about how long it takes.
const SHORT: Duration = Duration::from_millis(100);

/// The record of an alert: unexpected message, decode error, protocol version.
fn is_alert(answer: &[u8]) -> bool {
    answer.first() == Some(&21) && answer.len() == 7
}

#[tokio::test]
async fn what_is_not_tls_is_closed_and_counted() {
    let authority = Authority::new();
    let server = Server::start();
    server.tls.install(&[authority.certificate(&["a.example"])], None);
    let good = Client::new(&authority, &["h2"]);
    let oversized = [&[22, 3, 1, 0xff, 0xff][..], &[1; 1000]].concat();
    for (name, bytes, end) in [
        ("plain HTTP", &b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"[..], HandshakeEnd::NotTls),
        ("HTTP/2 in plain text", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HandshakeEnd::NotTls),
        ("zeros", &[0; 64], HandshakeEnd::NotTls),
        ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", HandshakeEnd::NotTls),
        ("a record that is too long", &oversized, HandshakeEnd::Failed),
        ("a hello of nothing", &[22, 3, 1, 0, 4, 1, 0, 0, 0], HandshakeEnd::Failed),
        ("another message than a hello", &[22, 3, 1, 0, 4, 20, 0, 0, 0], HandshakeEnd::Failed),
        ("application data", &[23, 3, 3, 0, 2, 1, 1], HandshakeEnd::Failed),
        ("an alert", &[21, 3, 3, 0, 2, 2, 40], HandshakeEnd::Failed),
    ] {
        let before = server.count(end);
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        drop(soon(stream.read_to_end(&mut answer)).await);
        assert!(answer.is_empty() || is_alert(&answer), "{name}: {answer:?}");
        server.counted(end, before + 1).await;
        assert_eq!(good.get(server.address, "https://a.example/").await.unwrap().0, 200, "after {name}");
    }
}

#[tokio::test]
async fn who_goes_away_in_the_middle_is_counted() {
    let server = Server::start();
    for bytes in [&b""[..], &[22, 3, 1, 0, 100, 1]] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        drop(soon(stream.read_to_end(&mut answer)).await);
    }
    server.counted(HandshakeEnd::Unfinished, 2).await;
    assert_eq!(server.tls.under_way(), 0);
}

#[tokio::test]
async fn who_is_slow_has_until_the_end_of_a_head() {
    let config = GatewayConfig { header_read_timeout: SHORT, ..GatewayConfig::default() };
    let server = Server::configured(config, TlsSettings::default());
    let authority = Authority::new();
    server.tls.install(&[authority.certificate(&["a.example"])], None);
    // One says nothing, one begins a hello, one ends its handshake and asks for nothing.
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut begun = TcpStream::connect(server.address).await.unwrap();
    begun.write_all(&[22, 3, 1, 0, 100, 1, 0]).await.unwrap();
    let mut shaken = Client::new(&authority, &["h2"]).connect(server.address, "a.example").await.unwrap();
    let mut answer = Vec::new();
    drop(soon(silent.read_to_end(&mut answer)).await);
    drop(soon(begun.read_to_end(&mut answer)).await);
    assert!(answer.is_empty(), "{answer:?}");
    drop(soon(shaken.read_to_end(&mut answer)).await);
    server.counted(HandshakeEnd::Unfinished, 2).await;
    server.counted(HandshakeEnd::Done, 1).await;
}

#[tokio::test]
async fn many_who_are_slow_keep_nobody_out() {
    let settings = TlsSettings { handshakes_max: 4, ..TlsSettings::default() };
    let server = Server::configured(GatewayConfig::default(), settings);
    let authority = Authority::new();
    server.tls.install(&[authority.certificate(&["a.example"])], None);
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(TcpStream::connect(server.address).await.unwrap());
    }
    server.counted(HandshakeEnd::Unfinished, 16).await;
    assert_eq!(server.tls.under_way(), 4);
    let good = Client::new(&authority, &["h2"]);
    assert_eq!(good.get(server.address, "https://a.example/").await.unwrap().0, 200);
    // The oldest of them had to go for it.
    server.counted(HandshakeEnd::Unfinished, 17).await;
}

#[tokio::test]
async fn a_handshake_counts_as_a_connection() {
    let config = GatewayConfig { connections_max: 1, ..GatewayConfig::default() };
    let server = Server::configured(config, TlsSettings::default());
    let authority = Authority::new();
    server.tls.install(&[authority.certificate(&["a.example"])], None);
    let silent = TcpStream::connect(server.address).await.unwrap();
    soon(async {
        while server.tls.under_way() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let client = Client::new(&authority, &["h2"]);
    let address = server.address;
    let waiting = tokio::spawn(async move { client.get(address, "https://a.example/").await });
    // It is not let in before the other has gone.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.tls.under_way(), 1);
    assert!(!waiting.is_finished());
    drop(silent);
    assert_eq!(soon(waiting).await.unwrap().unwrap().0, 200);
}
