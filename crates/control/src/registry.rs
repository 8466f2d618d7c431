//! What is deployed: rows in one file.
//!
//! Nothing is held in memory for an app, and nothing is read at the start but the format. SQLite was chosen because its
//! behaviour under kills, full disks and power loss is known.

mod audits;
mod blobs;
mod deploys;
mod failure;
mod file;
mod format;
mod hosts;
mod log;
mod lookup;
mod readers;
mod revisions;
mod sweep;
mod tenants;
mod tokens;
mod traffic;
mod trials;
mod write;

use std::path::{Path, PathBuf};

use cumulet_spec::id::{AppName, TenantId};
use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::change::{ChangeError, ChangeNumber, ChangeRow, Deploy, Deployed, Remove};
use crate::host::Host;
use failure::Failure;
pub use failure::{RegistryError, RegistryErrorKind};
pub use lookup::{AppRow, DeployedApp, DeployedArm, FindError, PAGE_APPS_MAX};
use readers::Readers;
pub use sweep::BlobsInUse;

/// The file in the data folder.
const FILE_NAME: &str = "registry.db";

/// What is deployed on this node. Every change that was acknowledged is on the disk.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Readers,
}

impl Registry {
    /// Opens the registry of a data folder, or makes one there. Takes as long for a hundred thousand apps as for none.
    ///
    /// # Errors
    /// When the file cannot be made or written, is none of ours, or was written by a later release.
    pub fn open(data_dir: &Path) -> Result<Self, RegistryError> {
        let path = data_dir.join(FILE_NAME);
        let fail = |kind| RegistryError { path: path.clone(), kind };
        let writer = file::create(&path).map_err(fail)?;
        let first = file::reader(&path).map_err(|error| fail(error.into()))?;
        let readers = Readers::new(&path, first);
        Ok(Self { writer: Mutex::new(writer), readers, path })
    }

    /// Deploys a revision. The same idempotency key with the same content gives the same answer, and changes nothing.
    ///
    /// # Errors
    /// When the request contradicts what is deployed, or the change cannot be made durable; then nothing has changed.
    pub fn deploy(&self, deploy: &Deploy) -> Result<Deployed, ChangeError> {
        let name = (&deploy.tenant, &deploy.revision.app);
        self.change(name, |transaction| write::deploy(transaction, deploy))
    }

    /// Deploys all of these in one step, or none of them.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy), for the first that fails.
    pub fn deploy_all(&self, deploys: &[Deploy]) -> Result<Vec<Deployed>, ChangeError> {
        let Some(last) = deploys.last() else { return Ok(Vec::new()) };
        let mut at = last;
        let result = self.write(|transaction| {
            let each = deploys.iter().map(|deploy| {
                at = deploy;
                write::deploy(transaction, deploy)
            });
            each.collect::<Result<Vec<Deployed>, Failure>>()
        });
        result.map_err(|kind| ChangeError { tenant: at.tenant.clone(), app: at.revision.app.clone(), kind })
    }

    /// Removes an app, with its revisions and hosts.
    ///
    /// # Errors
    /// When it is not deployed or has changed, or the change cannot be made durable; then nothing has changed.
    pub fn remove(&self, remove: &Remove) -> Result<ChangeNumber, ChangeError> {
        self.change((&remove.tenant, &remove.app), |transaction| write::remove(transaction, remove))
    }

    /// What an app is now, if it is deployed. Takes some 10 µs where the pages are in memory.
    ///
    /// # Errors
    /// When the file cannot be read, or what it says of this app is damaged.
    pub fn find(&self, tenant: &TenantId, app: &AppName) -> Result<Option<DeployedApp>, FindError> {
        let row = self.read(|connection| lookup::app(connection, tenant, app))?;
        row.map(|row| row.check((tenant, app))).transpose()
    }

    /// The app that has a host, which is in lower case and without a port. Takes some 5 µs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find_host(&self, host: &str) -> Result<Option<(TenantId, AppName)>, RegistryError> {
        self.read(|connection| hosts::holder(connection, host))
    }

    /// The hosts of an app, in the order of their text.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn hosts(&self, tenant: &TenantId, app: &AppName) -> Result<Vec<Host>, RegistryError> {
        self.read(|connection| hosts::of_app(connection, tenant, app))
    }

    /// The apps after one, in the order of tenant and name: at most `limit` and at most [`PAGE_APPS_MAX`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn apps(&self, after: Option<(&TenantId, &AppName)>, limit: usize) -> Result<Vec<AppRow>, RegistryError> {
        self.read(|connection| lookup::page(connection, after, limit))
    }

    /// The apps of one tenant after one of them, in the order of their names: at most `limit` and at most
    /// [`PAGE_APPS_MAX`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn tenant_apps(
        &self,
        tenant: &TenantId,
        after: Option<&AppName>,
        limit: usize,
    ) -> Result<Vec<AppRow>, RegistryError> {
        self.read(|connection| lookup::tenant_page(connection, (tenant, after), limit))
    }

    /// How many apps are deployed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count(&self) -> Result<u64, RegistryError> {
        self.read(lookup::count)
    }

    /// The changes after one, oldest first: at most `limit` and at most [`PAGE_APPS_MAX`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn changes(&self, after: ChangeNumber, limit: usize) -> Result<Vec<ChangeRow>, RegistryError> {
        self.read(|connection| log::page(connection, after, limit))
    }

    fn change<T>(
        &self,
        (tenant, app): (&TenantId, &AppName),
        run: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, ChangeError> {
        self.write(run).map_err(|kind| ChangeError { tenant: tenant.clone(), app: app.clone(), kind })
    }

    fn write<T, K: From<RegistryError>>(
        &self,
        run: impl FnOnce(&Transaction<'_>) -> Result<T, Failure<K>>,
    ) -> Result<T, K> {
        let mut writer = self.writer.lock();
        let attempt = || -> Result<T, Failure<K>> {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = run(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        attempt().map_err(|failure| match failure {
            Failure::Refused(kind) => kind,
            Failure::Database(error) => RegistryError { path: self.path.clone(), kind: error.into() }.into(),
        })
    }

    fn read<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, RegistryError> {
        self.readers.read(run).map_err(|error| RegistryError { path: self.path.clone(), kind: error.into() })
    }
}
