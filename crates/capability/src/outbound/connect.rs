//! How a connection comes about: a slot for it, a name's checked address, TCP, TLS, all within one time.

use super::bounds::Bounds;
use super::guard::GuardedResolver;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::error::Error as StdError;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_service::Service;

type BoxError = Box<dyn StdError + Send + Sync>;

/// No connection came about.
#[derive(Clone, Copy, Debug, Error)]
pub(super) enum ConnectFault {
    #[error("the component has too many connections open")]
    Full,
    #[error("the connection did not come about in time")]
    Late,
}

/// Makes the connections of one component, and counts them for as long as they are open.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<HttpConnector<GuardedResolver>>,
    open: Arc<Semaphore>,
    wait: Duration,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig, resolver: GuardedResolver, bounds: &Bounds) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(bounds.connect));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        Self { https, open: Arc::new(Semaphore::new(bounds.connections)), wait: bounds.connect }
    }

    /// How many more connections may be opened now.
    pub(super) fn free(&self) -> usize {
        self.open.available_permits()
    }
}

impl Service<http::Uri> for Connector {
    type Response = Counted<MaybeHttpsStream<TokioIo<TcpStream>>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let Self { mut https, open, wait } = self.clone();
        Box::pin(async move {
            let permit = timeout(wait, open.acquire_owned()).await.map_err(|_elapsed| ConnectFault::Full)??;
            // A handshake that was left to finish in the background must end, too.
            let stream = timeout(wait, https.call(uri)).await.map_err(|_elapsed| ConnectFault::Late)??;
            Ok(Counted { stream, _permit: permit })
        })
    }
}

pin_project_lite::pin_project! {
    /// An open connection, which counts as one until it is closed.
    pub(super) struct Counted<S> {
        #[pin]
        stream: S,
        _permit: OwnedSemaphorePermit,
    }
}

impl<S: Connection> Connection for Counted<S> {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl<S: Read> Read for Counted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<Result<(), io::Error>> {
        self.project().stream.poll_read(context, buffer)
    }
}

impl<S: Write> Write for Counted<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, io::Error>> {
        self.project().stream.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.project().stream.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.project().stream.poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize, io::Error>> {
        self.project().stream.poll_write_vectored(context, parts)
    }
}
