//! Clients: bytes over a socket, and hyper's HTTP/2.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::soon;

/// A body that a test sends.
pub(crate) type Sent = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// Sends bytes on a new connection and reads until the gateway closes it.
pub(crate) async fn talk(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The gateway may refuse, and close, before it has read everything.
    drop(stream.write_all(bytes).await);
    read_to_end(&mut stream).await
}

/// Everything until the end of the stream, a reset counting as one.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    drop(soon(stream.read_to_end(&mut all)).await);
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until the text ends with this.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        let byte = soon(stream.read_u8()).await;
        all.push(byte.unwrap_or_else(|_| panic!("the stream ended early: {}", String::from_utf8_lossy(&all))));
    }
    String::from_utf8(all).unwrap()
}

/// The status codes of the responses in a byte stream, in order.
pub(crate) fn statuses(answer: &str) -> Vec<u16> {
    // The bodies of these tests never say this.
    answer.split("HTTP/1.").skip(1).map(|rest| rest[2..5].parse().unwrap()).collect()
}

/// The value of a field of the first response.
pub(crate) fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// An HTTP/2 connection with prior knowledge.
pub(crate) async fn http2(address: SocketAddr) -> SendRequest<Sent> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = soon(handshake(TokioExecutor::new(), TokioIo::new(stream))).await.unwrap();
    tokio::spawn(connection);
    sender
}
