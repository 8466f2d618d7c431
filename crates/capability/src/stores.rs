//! The stores that one component was granted, each opened when it is first asked for.

use crate::witness::{Witness, note};
use cumulet_provider::blobstore::Container;
use cumulet_provider::keyvalue::Bucket;
use cumulet_provider::{OpenError, Stores, postgres, sqlite};
use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::AppId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{HasData, ResourceTable};

/// What guests of one component may make the host hold at once: bodies under way, listings, values that were read to be
/// swapped. Each is at most about 1 MiB of the host's memory, or one open file.
const HELD_MAX: usize = 256;

/// What is open of one capability, by granted name.
type Opened<T> = BTreeMap<String, OnceCell<T>>;

/// The stores of one component.
#[derive(Debug)]
pub(crate) struct GrantedStores {
    app: AppId,
    stores: Arc<Stores>,
    witness: Option<Arc<Witness>>,
    buckets: Opened<Arc<dyn Bucket>>,
    containers: Opened<Arc<dyn Container>>,
    databases: Opened<Arc<sqlite::Database>>,
    servers: Opened<Arc<postgres::Server>>,
    held: Arc<Semaphore>,
}

/// Something that the host holds for a guest; gives its place back when it is dropped.
pub(crate) type Held = OwnedSemaphorePermit;

/// What the interfaces of stores work on: the stores of the component, and the handles of the guest.
pub(crate) struct View<'a> {
    pub(crate) stores: &'a GrantedStores,
    pub(crate) table: &'a mut ResourceTable,
}

/// Leads the linker to a [`View`].
pub(crate) struct HasStores;

impl HasData for HasStores {
    type Data<'a> = View<'a>;
}

/// Why a store is not there for a guest.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Its name is not granted.
    Denied,
    /// It is granted, and cannot be opened now.
    Closed(OpenError),
}

impl GrantedStores {
    pub(crate) fn new(app: AppId, grants: &Grants, stores: Arc<Stores>, witness: Option<Arc<Witness>>) -> Self {
        Self {
            app,
            stores,
            witness,
            buckets: names(&grants.keyvalue),
            containers: names(&grants.blobstore),
            databases: names(&grants.sqlite),
            servers: names(&grants.postgres),
            held: Arc::new(Semaphore::new(HELD_MAX)),
        }
    }

    /// Waits for a place among what the host holds for guests of this component. A guest that takes all places and wants
    /// another waits for itself, until its time is up.
    pub(crate) async fn hold(&self) -> Held {
        Arc::clone(&self.held).acquire_owned().await.expect("the semaphore is never closed")
    }

    pub(crate) async fn bucket(&self, name: &str) -> Result<Arc<dyn Bucket>, Refusal> {
        let cell = self.find(Capability::Keyvalue, &self.buckets, name)?;
        cell.get_or_try_init(|| self.stores.bucket(&self.app, name)).await.cloned().map_err(Refusal::Closed)
    }

    pub(crate) async fn container(&self, name: &str) -> Result<Arc<dyn Container>, Refusal> {
        let cell = self.find(Capability::Blobstore, &self.containers, name)?;
        cell.get_or_try_init(|| self.stores.container(&self.app, name)).await.cloned().map_err(Refusal::Closed)
    }

    pub(crate) async fn database(&self, name: &str) -> Result<Arc<sqlite::Database>, Refusal> {
        let cell = self.find(Capability::Sqlite, &self.databases, name)?;
        cell.get_or_try_init(|| self.stores.database(&self.app, name)).await.cloned().map_err(Refusal::Closed)
    }

    pub(crate) async fn server(&self, name: &str) -> Result<Arc<postgres::Server>, Refusal> {
        let cell = self.find(Capability::Postgres, &self.servers, name)?;
        cell.get_or_try_init(|| self.stores.server(name)).await.cloned().map_err(Refusal::Closed)
    }

    fn find<'a, T>(
        &self,
        capability: Capability,
        granted: &'a Opened<T>,
        name: &str,
    ) -> Result<&'a OnceCell<T>, Refusal> {
        let found = granted.get(name);
        note(self.witness.as_deref(), capability, name, found.is_some());
        found.ok_or(Refusal::Denied)
    }
}

fn names<T>(granted: &[String]) -> Opened<T> {
    granted.iter().map(|name| (name.clone(), OnceCell::new())).collect()
}
