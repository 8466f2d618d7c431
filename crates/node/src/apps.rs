//! The apps of a node: deployed on the disk, loaded while they are called.
//!
//! A request for a loaded app finds it by its host. For any other, one thread looks the app up, maps what was compiled,
//! links it, and puts it among the loaded ones, while whoever else wants the same app waits for that. What was used
//! longest ago is let go for it, and so is what nobody called for long.

mod arms;
mod code;
mod cold;
mod host;
mod loaded;
mod make;
mod wake;

use crate::workshop::Workshop;
use cumulet_control::{Registry, RegistryError};
use cumulet_spec::id::{AppId, Digest, TenantId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, Semaphore};

pub(crate) use arms::{Arms, Found, LoadedRevision};
pub(crate) use code::{Code, Codes};
pub(crate) use cold::{ColdStarts, Phase};
pub(crate) use host::{Domain, bare};
pub(crate) use loaded::{LoadBounds, LoadCost, LoadedApp, LoadedApps, LoadedTotals, Since};
pub(crate) use make::{Made, ReadyRevision, Spent, make};
pub(crate) use wake::WakeError;

/// What is deployed, and what of it is loaded.
#[derive(Debug)]
pub(crate) struct Apps {
    pub(crate) registry: Registry,
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) cold: ColdStarts,
    domain: Domain,
    loaded: LoadedApps,
    /// Those that are being loaded, by host: whoever comes second waits for the first.
    waking: Mutex<HashMap<Box<str>, Arc<Waking>>>,
    /// Bounds how many are loaded at once.
    turns: Semaphore,
    /// Held while what requests find changes, and shared by whoever tells of it: what is told answers already.
    telling: RwLock<()>,
}

/// What loading an app came to; `None` when there is none.
type Waking = OnceCell<Result<Option<Arc<LoadedApp>>, Arc<WakeError>>>;

impl Apps {
    pub(crate) fn new(registry: Registry, workshop: Arc<Workshop>, domain: &str, bounds: LoadBounds) -> Arc<Self> {
        let loaded = LoadedApps::new(bounds, Arc::clone(workshop.codes.totals()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            registry,
            workshop,
            cold: ColdStarts::default(),
            domain: Domain::new(domain),
            loaded,
            waking: Mutex::default(),
            turns: Semaphore::new(threads),
            telling: RwLock::default(),
        })
    }

    /// The loaded app that answers at a host, in lower case and without a port.
    pub(crate) fn find(&self, host: &str) -> Option<Arc<LoadedApp>> {
        self.loaded.find(host)
    }

    /// Changes what requests to an app find, from the next one on; those in flight finish on what they began with. Blocks.
    ///
    /// # Errors
    /// Those of the change; then requests find what they found before.
    pub(crate) fn change<T, E>(&self, id: &AppId, change: impl FnOnce(&Registry) -> Result<T, E>) -> Result<T, E> {
        let _telling = self.telling.blocking_write();
        let done = change(&self.registry)?;
        self.forget(id);
        Ok(done)
    }

    /// Reads the registry to tell of it: what it says is what requests find. Blocks.
    pub(crate) fn tell<T>(&self, read: impl FnOnce(&Registry) -> T) -> T {
        let _telling = self.telling.blocking_read();
        read(&self.registry)
    }

    /// As [`tell`](Self::tell), for as long as what is returned is held, and without blocking.
    pub(crate) async fn telling(&self) -> RwLockReadGuard<'_, ()> {
        self.telling.read().await
    }

    /// Lets the next request load an app anew.
    pub(crate) fn forget(&self, id: &AppId) {
        drop(self.loaded.remove(id));
        // Whoever comes from now on does not wait for what was read before.
        self.waking.lock().clear();
    }

    /// The size of a component that a tenant has sent and that is kept.
    pub(crate) fn blob_bytes(&self, tenant: &TenantId, digest: &Digest) -> Result<Option<u64>, RegistryError> {
        let is_sent = self.registry.has_blob(tenant, digest)?;
        Ok(self.workshop.components.length(digest).filter(|_| is_sent))
    }

    /// The host at which an app answers without being granted one.
    pub(crate) fn host_of(&self, id: &AppId) -> String {
        self.domain.host_of(id)
    }

    /// The domain under which apps answer.
    pub(crate) fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Lets apps sleep again that nobody calls, for as long as what is returned is polled: the code that they share with
    /// no other is unmapped, and the pool gives back what their instances left in its slots.
    pub(crate) async fn unload_idle(self: Arc<Self>, idle: Duration) {
        loop {
            let since = self.loaded.mark();
            tokio::time::sleep(idle).await;
            let apps = Arc::clone(&self);
            // That it panics would have been reported, and costs nobody but this time's idle apps.
            let _ended = tokio::task::spawn_blocking(move || drop(apps.loaded.take_idle(since))).await;
        }
    }

    pub(crate) fn totals(&self) -> LoadedTotals {
        self.loaded.totals()
    }
}
