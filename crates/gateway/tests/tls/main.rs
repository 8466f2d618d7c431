//! TLS over real sockets, with real clients: who is shown which certificate, and what becomes of everybody else.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is a test: the lints are off in test functions, and these are their helpers"
)]

mod authority;
mod certificate;
mod choice;
mod client;
mod handler;
mod hostile;
mod lifetime;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cumulet_gateway::{Drained, GatewayConfig, HandshakeEnd, SecureGateway, Tls, TlsSettings};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::handler::Guest;

/// Far beyond what any test needs: a test that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway that speaks TLS until the test is over.
struct Server {
    address: SocketAddr,
    guest: Guest,
    tls: Arc<Tls>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Server {
    fn start() -> Self {
        Self::configured(GatewayConfig::default(), TlsSettings::default())
    }

    fn configured(config: GatewayConfig, settings: TlsSettings) -> Self {
        let (guest, tls) = (Guest::default(), Tls::new(settings).unwrap());
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let gateway = SecureGateway::bind(address, config, guest.clone(), Arc::clone(&tls)).unwrap();
        let address = gateway.local_addr();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(gateway.serve(async {
            let _: Result<(), _> = stopped.await;
        }));
        Self { address, guest, tls, stop, served }
    }

    /// Begins the drain; what became of it comes from the handle.
    fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.served
    }

    /// Handshakes that ended in this way.
    fn count(&self, end: HandshakeEnd) -> u64 {
        self.tls.counts().into_iter().find(|(one, _)| *one == end).unwrap().1
    }

    /// Waits until so many handshakes have ended in this way.
    async fn counted(&self, end: HandshakeEnd, count: u64) {
        soon(async {
            while self.count(end) < count {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(self.count(end), count, "{end:?}");
    }
}

/// Waits for something that must happen.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("the test waits for something that does not happen")
}
