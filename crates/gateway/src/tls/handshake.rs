//! The handshake: who is asked for, what is shown, and how it ends.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use rustls::InvalidMessage;
use rustls::server::{Acceptor, ClientHello, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::connection::Activity;
use crate::entrance::{Carrier, Entrance};
use crate::tls::{CHALLENGE_PROTOCOL, HandshakeEnd, Tls};

/// The fatal alert `unrecognized_name`, as the record that it is sent in before there are keys (RFC 6066, 3).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// The entrance of a listener that speaks TLS.
#[derive(Debug, Clone)]
pub(super) struct SecureEntrance(pub(super) Arc<Tls>);

impl Carrier for TlsStream<TcpStream> {
    const BUFFERS: bool = true;
}

impl Entrance for SecureEntrance {
    type Stream = TlsStream<TcpStream>;

    async fn enter(self, stream: TcpStream, peer: SocketAddr, activity: &Arc<Activity>) -> Option<Self::Stream> {
        let tls = &*self.0;
        let mut attempt = Attempt { tls, end: HandshakeEnd::Unfinished };
        let _place = tls.under_way.enter(activity);
        let shaken = unless_leaving(activity, shake_hands(tls, stream)).await?;
        match shaken {
            Ok(Some(stream)) => {
                attempt.end = HandshakeEnd::Done;
                Some(stream)
            }
            Ok(None) => {
                attempt.end = HandshakeEnd::Challenge;
                tracing::debug!(%peer, "a TLS-ALPN-01 challenge was answered");
                None
            }
            Err(failure) => {
                attempt.end = failure.end;
                tracing::debug!(%peer, error = %failure, "a TLS handshake failed");
                None
            }
        }
    }
}

/// A handshake that is counted when it is over, also where it is cut.
struct Attempt<'a> {
    tls: &'a Tls,
    end: HandshakeEnd,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.tls.counts.count(self.end);
    }
}

/// A handshake that leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct HandshakeFailure {
    end: HandshakeEnd,
    text: String,
}

/// What is shown to a client.
enum Shown {
    Http(Arc<ServerConfig>),
    Challenge(Arc<ServerConfig>),
}

/// The stream that HTTP follows on; nothing where a client wanted to see the answer to a challenge, and has seen it.
async fn shake_hands(tls: &Tls, stream: TcpStream) -> Result<Option<TlsStream<TcpStream>>, HandshakeFailure> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(|error| hello_failure(&error))?;
    let hello = start.client_hello();
    let Some(shown) = tls.shown_to(&hello) else {
        let text = match hello.server_name() {
            Some(host) => format!("no certificate is for {host}"),
            None => "the client names no host, and there is no default certificate".to_owned(),
        };
        let mut stream = start.io;
        // The client may be gone, and is told nothing else.
        let _told = stream.write_all(&UNRECOGNIZED_NAME).await;
        let _closed = stream.shutdown().await;
        return Err(HandshakeFailure { end: HandshakeEnd::UnknownName, text });
    };
    match shown {
        Shown::Http(config) => start.into_stream(config).await.map(Some).map_err(|error| failure(&error)),
        Shown::Challenge(config) => {
            let mut stream = start.into_stream(config).await.map_err(|error| failure(&error))?;
            // It wanted to see the certificate, and nothing else is said (RFC 8737, 3).
            let _closed = stream.shutdown().await;
            Ok(None)
        }
    }
}

impl Tls {
    /// What is shown to a client that began in this way.
    fn shown_to(&self, hello: &ClientHello<'_>) -> Option<Shown> {
        let host = hello.server_name();
        if offers_challenge_alone(hello) {
            // Never a certificate of the host's own: whoever asks in this way takes it for an answer.
            return self.challenges.lock().get(host?).cloned().map(Shown::Challenge);
        }
        self.table.load().find(host).cloned().map(Shown::Http)
    }
}

fn offers_challenge_alone(hello: &ClientHello<'_>) -> bool {
    let Some(mut offered) = hello.alpn() else { return false };
    offered.next() == Some(CHALLENGE_PROTOCOL) && offered.next().is_none()
}

/// Runs a future until the connection is asked to end.
async fn unless_leaving<F: Future>(activity: &Activity, future: F) -> Option<F::Output> {
    poll_fn(|cx| {
        activity.register(cx);
        Poll::Ready(())
    })
    .await;
    let mut future = pin!(future);
    poll_fn(|cx| {
        if activity.is_leaving() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Why no hello came.
fn hello_failure(error: &io::Error) -> HandshakeFailure {
    let is_tls = !matches!(
        read_rustls(error),
        Some(rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion
        ))
    );
    if is_tls {
        return failure(error);
    }
    let text = "what came is not TLS; plain HTTP has a port of its own".to_owned();
    HandshakeFailure { end: HandshakeEnd::NotTls, text }
}

fn failure(error: &io::Error) -> HandshakeFailure {
    let gone = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    );
    let end = if gone { HandshakeEnd::Unfinished } else { HandshakeEnd::Failed };
    HandshakeFailure { end, text: error.to_string() }
}

fn read_rustls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
