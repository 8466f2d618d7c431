//! Where the operator is heard: in plain text, or over TLS with the certificates that the public is shown.

use super::AdminHandler;
use crate::tls::Secured;
use cumulet_gateway::{BindError, Drained, Gateway, GatewayConfig, SecureGateway};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

/// The operator's listener, bound and not served yet.
#[derive(Debug)]
pub(crate) enum AdminListener {
    /// Plain HTTP.
    Plain(Gateway<AdminHandler>),
    /// TLS.
    Secure(SecureGateway<AdminHandler>),
}

impl AdminListener {
    /// Listens, over TLS if the configuration says so. Must be called on a runtime.
    pub(crate) fn bind(
        address: SocketAddr,
        handler: AdminHandler,
        secured: Option<&Secured>,
    ) -> Result<Self, BindError> {
        let config = GatewayConfig::default();
        Ok(match secured.filter(|secured| secured.config.admin) {
            None => Self::Plain(Gateway::bind(address, config, handler)?),
            Some(secured) => {
                let tls = Arc::clone(secured.shelf.tls());
                Self::Secure(SecureGateway::bind(address, config, handler, tls)?)
            }
        })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Plain(plain) => format!("http://{}/", plain.local_addr()),
            Self::Secure(secure) => format!("https://{}/", secure.local_addr()),
        }
    }

    /// Serves until the stop.
    pub(crate) async fn serve(self, stop: impl Future<Output = ()>) -> Drained {
        match self {
            Self::Plain(plain) => plain.serve(stop).await,
            Self::Secure(secure) => secure.serve(stop).await,
        }
    }
}
