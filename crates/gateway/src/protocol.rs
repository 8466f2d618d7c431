//! How hyper is set up, and the life of a connection from its first byte.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::net::TcpStream;

use crate::config::GatewayConfig;
use crate::connection::{Connection, Graceful, Serving};
use crate::entrance::{Carrier, Entrance};
use crate::handler::Handler;
use crate::service;
use crate::socket::{Protocol, Socket};

/// The least that hyper takes as a buffer, in bytes.
const BUFFER_BYTES_MIN: usize = 8 * 1024;
/// What a client may send of one HTTP/2 stream before it is read, in bytes.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// The same for all streams of an HTTP/2 connection together.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// What waits to be sent on one HTTP/2 stream at most, in bytes.
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// How often a quiet HTTP/2 client is asked whether it is there, and how long it has to answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Both protocols, set up once for all connections.
#[derive(Debug, Clone)]
pub(crate) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    pub(crate) fn new(config: &GatewayConfig) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            // The end of a client's stream is how HTTP/1.1 says that the client is gone.
            .half_close(false)
            // The sweep bounds the time of a head without a timer for each.
            .header_read_timeout(None)
            .max_buf_size(config.header_bytes_max.max(BUFFER_BYTES_MIN))
            .max_header_size(config.header_bytes_max);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_INTERVAL)
            .max_concurrent_streams(config.streams_max)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES)
            .max_header_list_size(u32::try_from(config.header_bytes_max).unwrap_or(u32::MAX));
        Self { http1, http2 }
    }

    /// Serves one connection to its end.
    pub(crate) async fn serve<H: Handler, E: Entrance>(
        self: Arc<Self>,
        (entrance, stream): (E, TcpStream),
        connection: Arc<Connection<H>>,
    ) {
        // Without this a small response waits for the acknowledgement of the one before it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection ended before it began");
            return;
        }
        let activity = Arc::clone(&connection.activity);
        let peer = connection.peer;
        let Some(stream) = entrance.enter(stream, peer, &activity).await else { return };
        let mut socket = Socket::new(stream, Arc::clone(&activity));
        let Some(protocol) = socket.protocol().await else { return };
        let service = hyper::service::service_fn(move |request| service::serve(&connection, request));
        let served = match protocol {
            Protocol::Http1 => Serving::new(self.http1.serve_connection(socket, service), activity).await,
            Protocol::Http2 => Serving::new(self.http2.serve_connection(socket, service), activity).await,
        };
        if let Err(error) = served {
            // Clients that go away and clients that send nonsense end here: neither is an operator's concern.
            tracing::debug!(%peer, %error, "a connection ended early");
        }
    }
}

impl<C, S, B> Graceful for http1::Connection<Socket<C>, S>
where
    Self: Future,
    C: Carrier,
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<C, S, B> Graceful for http2::Connection<Socket<C>, S, TokioExecutor>
where
    Self: Future,
    C: Carrier,
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
