//! Reading what is deployed.

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::revision::{REVISION_FORMAT, Revision};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row};
use thiserror::Error;

use super::failure::RegistryError;
use super::log::stored;
use crate::change::ChangeNumber;
use crate::host::Host;

/// The most rows of one page.
pub const PAGE_APPS_MAX: usize = 1_000;

/// A deployed app with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedApp {
    /// The change that made it what it is.
    pub generation: ChangeNumber,
    /// The identity of its revision.
    pub id: Digest,
    /// Its revision.
    pub revision: Revision,
}

/// A deployed app in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRow {
    /// Who owns it.
    pub tenant: TenantId,
    /// Its name.
    pub app: AppName,
    /// The change that made it what it is.
    pub generation: ChangeNumber,
    /// The identity of its revision; none where that is damaged.
    pub revision: Option<Digest>,
}

/// An app could not be looked up.
#[derive(Debug, Error)]
pub enum FindError {
    /// What the registry says of this app makes no sense. Others are not concerned.
    #[error("what is stored of app {app} of tenant {tenant} is damaged; deploy it again")]
    Damaged {
        /// Who owns it.
        tenant: TenantId,
        /// The app.
        app: AppName,
    },
    /// A later release deployed it.
    #[error(
        "app {app} of tenant {tenant} has format {found}, and this release knows {REVISION_FORMAT}; deploy it again"
    )]
    Newer {
        /// Who owns it.
        tenant: TenantId,
        /// The app.
        app: AppName,
        /// The format of its revision.
        found: u32,
    },
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// The row of an app, not checked yet.
pub(super) struct StoredApp {
    generation: i64,
    revision: Option<([u8; 32], Vec<u8>)>,
}

impl StoredApp {
    /// SQLite does not notice a flipped bit. The digest does, and the names say whose revision it is.
    pub(super) fn check(self, tenant: &TenantId, app: &AppName) -> Result<DeployedApp, FindError> {
        let damaged = || FindError::Damaged { tenant: tenant.clone(), app: app.clone() };
        let (digest, written) = self.revision.ok_or_else(damaged)?;
        let id = Digest::from_bytes(digest);
        if Digest::of(&written) != id {
            return Err(damaged());
        }
        let revision = match serde_json::from_slice::<Revision>(&written) {
            Ok(revision) if revision.format <= REVISION_FORMAT => revision,
            Ok(Revision { format: found, .. }) => {
                return Err(FindError::Newer { tenant: tenant.clone(), app: app.clone(), found });
            }
            Err(_) => return Err(damaged()),
        };
        let generation = number(self.generation).map_err(|_| damaged())?;
        if revision.app == *app { Ok(DeployedApp { generation, id, revision }) } else { Err(damaged()) }
    }
}

pub(super) fn app(connection: &Connection, tenant: &TenantId, app: &AppName) -> rusqlite::Result<Option<StoredApp>> {
    connection
        .prepare_cached(
            "SELECT a.generation, r.digest, r.written FROM apps a
             LEFT JOIN revisions r ON r.id = a.revision AND r.tenant = a.tenant AND r.app = a.app
             WHERE a.tenant = ?1 AND a.app = ?2",
        )?
        .query_row((tenant.as_str(), app.as_str()), |row| {
            let written: Option<Vec<u8>> = row.get(2)?;
            Ok(StoredApp { generation: row.get(0)?, revision: digest(row, 1)?.zip(written) })
        })
        .optional()
}

pub(super) fn host(connection: &Connection, host: &str) -> rusqlite::Result<Option<(TenantId, AppName)>> {
    connection
        .prepare_cached("SELECT tenant, app FROM hosts WHERE host = ?1")?
        .query_row((host,), |row| names(row, 0))
        .optional()
}

pub(super) fn hosts(connection: &Connection, tenant: &TenantId, app: &AppName) -> rusqlite::Result<Vec<Host>> {
    connection
        .prepare_cached("SELECT host FROM hosts WHERE tenant = ?1 AND app = ?2 ORDER BY host")?
        .query_map((tenant.as_str(), app.as_str()), |row| Host::parse(row.get_ref(0)?.as_str()?).map_err(conversion))?
        .collect()
}

pub(super) fn page(
    connection: &Connection,
    after: Option<(&TenantId, &AppName)>,
    limit: usize,
) -> rusqlite::Result<Vec<AppRow>> {
    // No name is empty, so the empty one stands before all.
    let (tenant, app) = after.map_or(("", ""), |(tenant, app)| (tenant.as_str(), app.as_str()));
    let mut statement = connection.prepare_cached(
        "SELECT a.tenant, a.app, a.generation, r.digest FROM apps a LEFT JOIN revisions r ON r.id = a.revision
         WHERE (a.tenant, a.app) > (?1, ?2) ORDER BY a.tenant, a.app LIMIT ?3",
    )?;
    let rows = statement.query_map((tenant, app, stored(limit.min(PAGE_APPS_MAX) as u64)), |row| {
        let (tenant, app) = names(row, 0)?;
        let generation = ChangeNumber(u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default());
        Ok(AppRow { tenant, app, generation, revision: digest(row, 3)?.map(Digest::from_bytes) })
    })?;
    rows.collect()
}

/// A digest. One of another length is damage of its row, not of the file.
fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<[u8; 32]>> {
    Ok(row.get_ref(column)?.as_blob_or_null()?.and_then(|blob| blob.try_into().ok()))
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let apps: i64 = connection.prepare_cached("SELECT apps FROM totals")?.query_row((), |row| row.get(0))?;
    Ok(u64::try_from(apps).unwrap_or_default())
}

/// The names of a tenant and an app, in two columns that follow each other.
pub(super) fn names(row: &Row<'_>, first: usize) -> rusqlite::Result<(TenantId, AppName)> {
    let tenant = TenantId::parse(row.get_ref(first)?.as_str()?).map_err(conversion)?;
    let app = AppName::parse(row.get_ref(first + 1)?.as_str()?).map_err(conversion)?;
    Ok((tenant, app))
}

pub(super) fn number(number: i64) -> rusqlite::Result<ChangeNumber> {
    u64::try_from(number).map(ChangeNumber).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))
}

pub(super) fn conversion(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}
