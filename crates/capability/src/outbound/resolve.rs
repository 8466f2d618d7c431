//! Where the addresses of a name come from.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Lookups of one component that run at once.
const LOOKUPS_MAX: usize = 8;
/// Lookups of all components that run at once: each holds a thread until the system gives up on it.
const LOOKUPS_TOGETHER_MAX: usize = 64;

static LOOKUPS_TOGETHER: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(LOOKUPS_TOGETHER_MAX)));

/// The addresses of a name, or why there are none.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up.
///
/// Whatever comes back is checked by the address guard, so that an implementation need not be trusted. The caller bounds
/// the time.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, which is a host name in lower case and never an address.
    fn resolve(&self, name: &str) -> Lookup;
}

/// The system's own way to look names up.
#[derive(Debug)]
pub(super) struct System {
    lookups: Arc<Semaphore>,
}

impl Default for System {
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Resolve for System {
    fn resolve(&self, name: &str) -> Lookup {
        let name = name.to_owned();
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let own = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let shared = Arc::clone(&LOOKUPS_TOGETHER).acquire_owned().await.map_err(io::Error::other)?;
            // Nothing can interrupt the system's lookup: the permits go along, so that one whose caller has given up
            // still counts.
            let lookup = move || {
                let _permits = (own, shared);
                (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
            };
            tokio::task::spawn_blocking(lookup).await.map_err(io::Error::other)?
        })
    }
}
