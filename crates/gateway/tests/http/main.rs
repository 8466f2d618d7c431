//! The gateway over real sockets: what goes in as bytes, what comes out as bytes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test: the lints are off in test functions, and these are their helpers"
)]

mod exchange;
mod framing;
mod handler;
mod lifetime;
mod reply;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use cumulet_gateway::{Drained, Gateway, GatewayConfig};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::handler::Guest;

/// Far beyond what any test needs: a test that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway that serves until the test is over.
struct Server {
    address: SocketAddr,
    guest: Guest,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Server {
    fn start(config: GatewayConfig) -> Self {
        let guest = Guest::new();
        let gateway = Gateway::bind((Ipv4Addr::LOCALHOST, 0).into(), config, guest.clone()).unwrap();
        let address = gateway.local_addr();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(gateway.serve(async {
            let _: Result<(), _> = stopped.await;
        }));
        Self { address, guest, stop, served }
    }

    /// Begins the drain; what became of it comes from the handle.
    fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.served
    }
}

/// Waits for something that must happen.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("the test waits for something that does not happen")
}
