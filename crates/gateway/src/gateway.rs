//! The listener: accepts connections until it is told to stop, then drains them.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{Instant, sleep};

use crate::config::{BACKLOG, GatewayConfig};
use crate::crowd::{Crowd, Drained};
use crate::entrance::{Entrance, Plain};
use crate::handler::Handler;

/// How long nothing is accepted after a failure that is ours, such as no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener for HTTP/1.1 and HTTP/2 with prior knowledge on one port.
#[derive(Debug)]
pub struct Gateway<H> {
    listener: TcpListener,
    local: SocketAddr,
    config: GatewayConfig,
    handler: H,
}

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// Why not.
    pub source: io::Error,
}

impl<H: Handler> Gateway<H> {
    /// Listens on an address; port 0 picks one. Connections wait in the backlog until [`serve`](Self::serve).
    ///
    /// # Errors
    /// The address is in use, is not this machine's, or may not be taken.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(address: SocketAddr, config: GatewayConfig, handler: H) -> Result<Self, BindError> {
        let (listener, local) = listen(address)?;
        Ok(Self { listener, local, config, handler })
    }

    /// The address that is listened on, with the port that was picked.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown` is done; then closes the listener, lets what is in flight finish, and cuts what has
    /// not after [`GatewayConfig::drain_timeout`].
    ///
    /// # Cancel safety
    /// Dropping the future cuts every connection at once.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Drained {
        let Self { listener, config, handler, .. } = self;
        serve(listener, Crowd::new(handler, Plain, config), shutdown).await
    }
}

/// Accepts connections until `shutdown` is done, then drains.
pub(crate) async fn serve<H: Handler, E: Entrance>(
    listener: TcpListener,
    mut crowd: Crowd<H, E>,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let mut sweeps = crowd.sweeps();
    let mut shutdown = pin!(shutdown);
    let mut pause = pin!(sleep(Duration::ZERO));
    let mut paused = false;
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept(), if !paused && crowd.has_room() => match accepted {
                Ok((stream, peer)) => crowd.add(stream, peer),
                Err(error) if is_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    pause.as_mut().reset(Instant::now() + ACCEPT_PAUSE);
                    paused = true;
                }
            },
            () = &mut pause, if paused => paused = false,
            Some(()) = crowd.next_ended() => {}
            _ = sweeps.tick() => crowd.sweep(),
        }
    }
    // Connections hear of the drain before the port is given up: who is refused there can count on it here.
    crowd.announce_drain();
    drop(listener);
    crowd.drain().await
}

/// A listener, and the address that it got.
pub(crate) fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let bound = open(address).and_then(|listener| listener.local_addr().map(|local| (listener, local)));
    bound.map_err(|source| BindError { address, source })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows this would let another process take the port over.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Whether an accept failed for a reason of that one client's.
fn is_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
