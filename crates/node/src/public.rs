//! The listeners that the public reaches: plain HTTP, and TLS beside it where that is configured.

use crate::node::{ServeOptions, StartError, wait_for};
use crate::serving::{Serving, ServingHandler};
use crate::tls::{Door, Front, Keepers, Secured};
use cumulet_gateway::{Drained, Gateway, GatewayConfig, SecureGateway};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::watch;

/// The listeners, bound and not served yet.
#[derive(Debug)]
pub(crate) enum Public {
    /// Plain HTTP alone.
    Plain(Gateway<ServingHandler>),
    /// Both.
    Secured(Box<Both>),
}

/// Plain HTTP with a door before it, and TLS.
#[derive(Debug)]
pub(crate) struct Both {
    plain: Gateway<Front<ServingHandler>>,
    secure: SecureGateway<ServingHandler>,
    keepers: Keepers,
}

impl Public {
    /// Listens, and begins to keep certificates current. Must be called on a runtime.
    pub(crate) fn bind(
        options: &ServeOptions,
        serving: &Arc<Serving>,
        secured: Option<&Secured>,
    ) -> Result<Self, StartError> {
        let handler = ServingHandler(Arc::clone(serving));
        let Some(secured) = secured else {
            return Ok(Self::Plain(Gateway::bind(options.listen, GatewayConfig::default(), handler)?));
        };
        let tls = Arc::clone(secured.shelf.tls());
        let listen = secured.config.listen;
        let secure = SecureGateway::bind(listen, GatewayConfig::default(), handler.clone(), tls)?;
        let door = Door {
            shelf: Arc::clone(&secured.shelf),
            tokens: Arc::clone(&secured.tokens),
            redirect: secured.config.redirect.then(|| secure.local_addr().port()),
        };
        let front = Front { door: Arc::new(door), inner: handler };
        let plain = Gateway::bind(options.listen, GatewayConfig::default(), front)?;
        let keepers = secured.keep(&options.data_dir)?;
        Ok(Self::Secured(Box::new(Both { plain, secure, keepers })))
    }

    /// Where plain requests are answered.
    pub(crate) fn url(&self) -> String {
        let address = match self {
            Self::Plain(plain) => plain.local_addr(),
            Self::Secured(both) => both.plain.local_addr(),
        };
        format!("http://{address}/")
    }

    /// Where requests are answered over TLS.
    pub(crate) fn tls_url(&self) -> Option<String> {
        match self {
            Self::Plain(_) => None,
            Self::Secured(both) => Some(format!("https://{}/", both.secure.local_addr())),
        }
    }

    /// Serves once there is something to serve, until the stop.
    pub(crate) async fn serve(self, opened: watch::Receiver<bool>, stopped: watch::Receiver<bool>) -> Drained {
        match self {
            Self::Plain(plain) => once_open(opened, &stopped, plain.serve(wait_for(stopped.clone()))).await,
            Self::Secured(both) => {
                let Both { plain, secure, keepers } = *both;
                let plain = once_open(opened.clone(), &stopped, plain.serve(wait_for(stopped.clone())));
                let secure = once_open(opened, &stopped, secure.serve(wait_for(stopped.clone())));
                let (plain, secure) = tokio::join!(plain, secure);
                // Certificates are kept current until nobody is served any more.
                drop(keepers);
                Drained { finished: plain.finished + secure.finished, cut: plain.cut + secure.cut }
            }
        }
    }
}

/// Accepts nothing before the first revision is there: nobody is told that there is no route while it is being made.
async fn once_open(
    opened: watch::Receiver<bool>,
    stopped: &watch::Receiver<bool>,
    served: impl Future<Output = Drained>,
) -> Drained {
    tokio::select! {
        () = wait_for(opened) => served.await,
        () = wait_for(stopped.clone()) => Drained { finished: 0, cut: 0 },
    }
}
