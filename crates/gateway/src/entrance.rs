//! How an accepted connection becomes a stream that carries HTTP.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::connection::Activity;

/// What happens to a connection before its first byte of HTTP. The types keep plain connections free of whatever
/// others need.
pub(crate) trait Entrance: Clone + Send + 'static {
    /// What comes out.
    type Stream: Carrier;

    /// Lets a connection in; `None` when it ends here.
    ///
    /// # Cancel safety
    /// Dropping the future ends the connection.
    fn enter(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        activity: &Arc<Activity>,
    ) -> impl Future<Output = Option<Self::Stream>> + Send;
}

/// A stream that carries HTTP.
pub(crate) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Whether it takes bytes that may stay with it until it is flushed.
    const BUFFERS: bool;
}

/// Straight from the socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain;

impl Entrance for Plain {
    type Stream = TcpStream;

    async fn enter(self, stream: TcpStream, _: SocketAddr, _: &Arc<Activity>) -> Option<TcpStream> {
        Some(stream)
    }
}

impl Carrier for TcpStream {
    const BUFFERS: bool = false;
}
