//! A listener that speaks TLS, and what its handler is told.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use cumulet_spec::outcome::Outcome;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Request, Response, header};

use crate::config::GatewayConfig;
use crate::crowd::{Crowd, Drained};
use crate::gateway::{BindError, listen, serve};
use crate::handler::{Handler, Incoming, Rejection};
use crate::head::Refusal;
use crate::tls::Tls;
use crate::tls::handshake::SecureEntrance;

/// A listener for HTTP/1.1 and HTTP/2 over TLS.
///
/// What holds for a [`Gateway`](crate::Gateway) holds for it. A handshake is part of a connection: it counts against
/// [`GatewayConfig::connections_max`], and has until [`GatewayConfig::header_read_timeout`] together with the first
/// head.
#[derive(Debug)]
pub struct SecureGateway<H> {
    listener: tokio::net::TcpListener,
    local: SocketAddr,
    config: GatewayConfig,
    handler: H,
    tls: Arc<Tls>,
}

impl<H: Handler> SecureGateway<H> {
    /// Listens on an address; port 0 picks one. Connections wait in the backlog until [`serve`](Self::serve).
    ///
    /// # Errors
    /// The address is in use, is not this machine's, or may not be taken.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(address: SocketAddr, config: GatewayConfig, handler: H, tls: Arc<Tls>) -> Result<Self, BindError> {
        let (listener, local) = listen(address)?;
        Ok(Self { listener, local, config, handler, tls })
    }

    /// The address that is listened on, with the port that was picked.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown` is done; then closes the listener, ends handshakes that are under way, lets requests in
    /// flight finish, and cuts what has not after [`GatewayConfig::drain_timeout`].
    ///
    /// # Cancel safety
    /// Dropping the future cuts every connection at once.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Drained {
        let Self { listener, config, handler, tls, .. } = self;
        serve(listener, Crowd::new(Secure(handler), SecureEntrance(tls), config), shutdown).await
    }
}

/// Hands requests on as what they are: asked for over TLS.
#[derive(Debug, Clone)]
struct Secure<H>(H);

impl<H: Handler> Handler for Secure<H> {
    type Body = H::Body;

    async fn handle(&self, mut incoming: Incoming) -> Result<Response<H::Body>, Rejection> {
        name_scheme(&mut incoming.request);
        self.0.handle(incoming).await
    }

    fn refused(&self, refusal: Refusal) {
        self.0.refused(refusal);
    }

    fn turned_away(&self, outcome: Outcome) {
        self.0.turned_away(outcome);
    }
}

/// Makes the target an `https` URL, whatever the client called it. Without a host, which HTTP/1.0 allows, it stays a
/// path.
fn name_scheme<B>(request: &mut Request<B>) {
    let host = request.headers().get(header::HOST);
    let named = || host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let Some(authority) = request.uri().authority().cloned().or_else(named) else { return };
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority);
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}
