//! Reading what is deployed.

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::revision::{REVISION_FORMAT, Revision};
use cumulet_spec::traffic::{Percent, Traffic};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row};
use thiserror::Error;

use super::failure::RegistryError;
use super::log::{stored, unsigned};
use crate::change::ChangeNumber;

/// The most rows of one page.
pub const PAGE_APPS_MAX: usize = 1_000;

/// A deployed app with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedApp {
    /// The change that made it what it is.
    pub generation: ChangeNumber,
    /// Which of its revisions answer, for which share, and by which headers.
    pub traffic: Traffic,
    arms: Vec<DeployedArm>,
}

/// A revision that requests are led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedArm {
    /// Its share of the requests; none where only a header rule leads to it.
    pub percent: Option<Percent>,
    /// The identity of the revision.
    pub id: Digest,
    /// The revision.
    pub revision: Revision,
}

impl DeployedApp {
    /// Every revision that requests are led to, at least one: those with a share first, in the order of the traffic.
    #[must_use]
    pub fn arms(&self) -> &[DeployedArm] {
        &self.arms
    }

    /// The revision with the largest share, the first of equal ones; the only one where there is one.
    #[must_use]
    pub fn leading(&self) -> &DeployedArm {
        let larger = |best: &'_ DeployedArm, arm: &DeployedArm| arm.percent > best.percent;
        let leading = self.arms.iter().reduce(|best, arm| if larger(best, arm) { arm } else { best });
        leading.expect("an app that is deployed has a revision")
    }
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
    /// The identity of the first revision of its traffic; none where that is damaged.
    pub revision: Option<Digest>,
    /// Which revisions answer; none where that is damaged.
    pub traffic: Option<Traffic>,
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

/// The digest of a revision, and its written form. SQLite does not notice a flipped bit; the digest does.
pub(super) type Written = ([u8; 32], Vec<u8>);

/// The row of an app, not checked yet.
pub(super) struct StoredApp {
    generation: i64,
    /// Where more than one revision is led to.
    traffic: Option<String>,
    first: Option<Written>,
    others: Vec<Written>,
}

impl StoredApp {
    /// Checks it: the digests, and the names that say whose revisions these are.
    pub(super) fn check(self, name: (&TenantId, &AppName)) -> Result<DeployedApp, FindError> {
        let damaged = || damaged(name);
        let generation = number(self.generation).map_err(|_negative| damaged())?;
        let first = self.first.ok_or_else(damaged)?;
        let traffic = match &self.traffic {
            None => Traffic::all(Digest::from_bytes(first.0)),
            Some(text) => serde_json::from_str(text).map_err(|_damage| damaged())?,
        };
        let mut arms = Vec::with_capacity(1 + self.others.len());
        for written in std::iter::once(first).chain(self.others) {
            let (id, revision) = revision(name, written)?;
            arms.push(DeployedArm { percent: traffic.percent(&id), id, revision });
        }
        let is_whole = || {
            let led_to = traffic.revisions();
            arms.len() == led_to.len() && arms.iter().all(|arm| led_to.contains(&arm.id))
        };
        if self.traffic.is_none() || is_whole() {
            Ok(DeployedApp { generation, traffic, arms })
        } else {
            Err(damaged())
        }
    }
}

fn damaged((tenant, app): (&TenantId, &AppName)) -> FindError {
    FindError::Damaged { tenant: tenant.clone(), app: app.clone() }
}

/// A revision of this app, if that is what is written.
pub(super) fn revision(
    (tenant, app): (&TenantId, &AppName),
    (digest, written): Written,
) -> Result<(Digest, Revision), FindError> {
    let id = Digest::from_bytes(digest);
    if Digest::of(&written) != id {
        return Err(damaged((tenant, app)));
    }
    match serde_json::from_slice::<Revision>(&written) {
        Ok(Revision { format: found, .. }) if found > REVISION_FORMAT => {
            Err(FindError::Newer { tenant: tenant.clone(), app: app.clone(), found })
        }
        Ok(revision) if revision.app == *app => Ok((id, revision)),
        Ok(_) | Err(_) => Err(damaged((tenant, app))),
    }
}

pub(super) fn app(connection: &Connection, tenant: &TenantId, app: &AppName) -> rusqlite::Result<Option<StoredApp>> {
    let found = app_row(connection, tenant, app)?;
    if found.as_ref().is_none_or(|found| found.traffic.is_none()) {
        return Ok(found);
    }
    // Several rows are read, so all of them from one state.
    let state = connection.unchecked_transaction()?;
    let Some(mut found) = app_row(&state, tenant, app)? else { return Ok(None) };
    let traffic = found.traffic.as_deref().and_then(|text| serde_json::from_str::<Traffic>(text).ok());
    let first = found.first.as_ref().map(|(digest, _)| *digest);
    for id in traffic.iter().flat_map(order).filter(|id| Some(*id.as_bytes()) != first) {
        found.others.extend(written(&state, (tenant, app), &id)?);
    }
    Ok(Some(found))
}

/// Those with a share, and then those that only a header leads to.
pub(super) fn order(traffic: &Traffic) -> Vec<Digest> {
    let shares: Vec<Digest> = traffic.arms().iter().map(|arm| arm.revision).collect();
    let ruled = traffic.revisions().into_iter().filter(|id| !shares.contains(id)).collect::<Vec<_>>();
    shares.into_iter().chain(ruled).collect()
}

fn app_row(connection: &Connection, tenant: &TenantId, app: &AppName) -> rusqlite::Result<Option<StoredApp>> {
    connection
        .prepare_cached(
            "SELECT a.generation, r.digest, r.written, a.traffic FROM apps a
             LEFT JOIN revisions r ON r.id = a.revision AND r.tenant = a.tenant AND r.app = a.app
             WHERE a.tenant = ?1 AND a.app = ?2",
        )?
        .query_row((tenant.as_str(), app.as_str()), |row| {
            let written: Option<Vec<u8>> = row.get(2)?;
            Ok(StoredApp {
                generation: row.get(0)?,
                traffic: row.get(3)?,
                first: digest(row, 1)?.zip(written),
                others: Vec::new(),
            })
        })
        .optional()
}

/// The written form of a revision that is kept.
pub(super) fn written(
    connection: &Connection,
    (tenant, app): (&TenantId, &AppName),
    id: &Digest,
) -> rusqlite::Result<Option<Written>> {
    connection
        .prepare_cached("SELECT written FROM revisions WHERE tenant = ?1 AND app = ?2 AND digest = ?3")?
        .query_row((tenant.as_str(), app.as_str(), id.as_bytes()), |row| Ok((*id.as_bytes(), row.get(0)?)))
        .optional()
}

pub(super) fn page(
    connection: &Connection,
    after: Option<(&TenantId, &AppName)>,
    limit: usize,
) -> rusqlite::Result<Vec<AppRow>> {
    // No name is empty, so the empty one stands before all.
    let (tenant, app) = after.map_or(("", ""), |(tenant, app)| (tenant.as_str(), app.as_str()));
    connection
        .prepare_cached(
            "SELECT a.tenant, a.app, a.generation, r.digest, a.traffic FROM apps a
             LEFT JOIN revisions r ON r.id = a.revision
             WHERE (a.tenant, a.app) > (?1, ?2) ORDER BY a.tenant, a.app LIMIT ?3",
        )?
        .query_map((tenant, app, page_rows(limit)), listed)?
        .collect()
}

pub(super) fn tenant_page(
    connection: &Connection,
    (tenant, after): (&TenantId, Option<&AppName>),
    limit: usize,
) -> rusqlite::Result<Vec<AppRow>> {
    connection
        .prepare_cached(
            "SELECT a.tenant, a.app, a.generation, r.digest, a.traffic FROM apps a
             LEFT JOIN revisions r ON r.id = a.revision
             WHERE a.tenant = ?1 AND a.app > ?2 ORDER BY a.app LIMIT ?3",
        )?
        .query_map((tenant.as_str(), after.map_or("", AppName::as_str), page_rows(limit)), listed)?
        .collect()
}

fn listed(row: &Row<'_>) -> rusqlite::Result<AppRow> {
    let (tenant, app) = names(row, 0)?;
    let revision = digest(row, 3)?.map(Digest::from_bytes);
    let traffic = match row.get_ref(4)?.as_str_or_null()? {
        Some(text) => serde_json::from_str(text).ok(),
        None => revision.map(Traffic::all),
    };
    Ok(AppRow { tenant, app, generation: ChangeNumber(unsigned(row.get(2)?)), revision, traffic })
}

/// The rows of a list, without those that are damaged: they cost nobody the others.
pub(super) fn whole<T>(rows: impl Iterator<Item = rusqlite::Result<T>>) -> rusqlite::Result<Vec<T>> {
    // An error without a code is none of the database's, but of what stands in a row.
    rows.filter(|row| !matches!(row, Err(error) if error.sqlite_error_code().is_none())).collect()
}

/// How many rows a page has at most.
pub(super) fn page_rows(limit: usize) -> i64 {
    stored(limit.min(PAGE_APPS_MAX) as u64)
}

/// A digest. One of another length is damage of its row, not of the file.
pub(super) fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<[u8; 32]>> {
    Ok(row.get_ref(column)?.as_blob_or_null()?.and_then(|blob| blob.try_into().ok()))
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let apps: i64 = connection.prepare_cached("SELECT apps FROM totals")?.query_row((), |row| row.get(0))?;
    Ok(unsigned(apps))
}

/// The names of a tenant and an app, in two columns that follow each other.
pub(super) fn names(row: &Row<'_>, first: usize) -> rusqlite::Result<(TenantId, AppName)> {
    Ok((parsed(row, first)?, parsed(row, first + 1)?))
}

/// A text as what it is to be.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?.as_str()?.parse().map_err(conversion)
}

pub(super) fn number(number: i64) -> rusqlite::Result<ChangeNumber> {
    u64::try_from(number).map(ChangeNumber).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))
}

pub(super) fn conversion(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}
