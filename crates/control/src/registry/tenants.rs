//! Tenants and the hosts that they were granted.

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::token::Actor;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::failure::{Failure, RegistryError};
use super::log::{Entry, stored, unsigned};
use super::lookup::{page_rows, parsed};
use super::{Registry, hosts};
use crate::change::{Change, ChangeNumber};
use crate::host::Host;
use crate::tenant::{PutTenant, TENANT_HOSTS_MAX, TenantChanged, TenantError, TenantErrorKind, TenantRow};

type Refused = Failure<TenantErrorKind>;

impl Registry {
    /// Makes a tenant, or gives it other hosts.
    ///
    /// # Errors
    /// When another tenant has one of the hosts, an app answers at one that would change hands, the tenant has changed, or
    /// it cannot be made durable; then nothing has changed.
    pub fn put_tenant(&self, put: &PutTenant) -> Result<TenantChanged, TenantError> {
        self.write(|transaction| put_tenant(transaction, put))
            .map_err(|kind| TenantError { tenant: put.tenant.clone(), kind })
    }

    /// Removes a tenant that has no apps, with its tokens, its hosts, and what is known of its blobs and deploys.
    ///
    /// # Errors
    /// When there is none, it has apps, or it cannot be made durable; then nothing has changed.
    pub fn remove_tenant(&self, tenant: &TenantId, by: &Actor, at_us: u64) -> Result<ChangeNumber, TenantError> {
        self.write(|transaction| remove_tenant(transaction, tenant, by, at_us))
            .map_err(|kind| TenantError { tenant: tenant.clone(), kind })
    }

    /// A tenant, if there is one of that name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn tenant(&self, tenant: &TenantId) -> Result<Option<TenantRow>, RegistryError> {
        self.read(|connection| {
            let state = connection.unchecked_transaction()?;
            find(&state, tenant)
        })
    }

    /// The tenants after one, in the order of their names: at most `limit` and at most
    /// [`PAGE_APPS_MAX`](super::PAGE_APPS_MAX).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<TenantRow>, RegistryError> {
        self.read(|connection| {
            let state = connection.unchecked_transaction()?;
            let names: Vec<TenantId> = state
                .prepare_cached("SELECT tenant FROM tenants WHERE tenant > ?1 ORDER BY tenant LIMIT ?2")?
                .query_map((after.map_or("", TenantId::as_str), page_rows(limit)), |row| parsed(row, 0))?
                .collect::<rusqlite::Result<_>>()?;
            let rows = names.iter().map(|name| find(&state, name)).collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(rows.into_iter().flatten().collect())
        })
    }

    /// The tenant that was granted a host, which is in lower case and without a port.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn granted(&self, host: &str) -> Result<Option<TenantId>, RegistryError> {
        self.read(|connection| granted(connection, host))
    }
}

fn granted(connection: &Connection, host: &str) -> rusqlite::Result<Option<TenantId>> {
    connection
        .prepare_cached("SELECT tenant FROM tenant_hosts WHERE host = ?1")?
        .query_row((host,), |row| parsed(row, 0))
        .optional()
}

fn find(connection: &Connection, tenant: &TenantId) -> rusqlite::Result<Option<TenantRow>> {
    let hosts = connection
        .prepare_cached("SELECT host FROM tenant_hosts WHERE tenant = ?1 ORDER BY host")?
        .query_map((tenant.as_str(),), |row| parsed(row, 0))?
        .collect::<rusqlite::Result<Vec<Host>>>()?;
    connection
        .prepare_cached("SELECT generation, at_us FROM tenants WHERE tenant = ?1")?
        .query_row((tenant.as_str(),), |row| {
            let generation = ChangeNumber(unsigned(row.get(0)?));
            Ok(TenantRow { tenant: tenant.clone(), generation, at_us: unsigned(row.get(1)?), hosts })
        })
        .optional()
}

fn put_tenant(transaction: &Transaction<'_>, put: &PutTenant) -> Result<TenantChanged, Refused> {
    if put.hosts.len() > TENANT_HOSTS_MAX {
        return Err(TenantErrorKind::TooManyHosts { hosts: put.hosts.len() }.into());
    }
    let mut wanted = put.hosts.clone();
    wanted.sort();
    wanted.dedup();
    let before = find(transaction, &put.tenant)?;
    let found = before.as_ref().map_or(ChangeNumber::NONE, |before| before.generation);
    if let Some(expected) = put.expected_generation.filter(|expected| *expected != found) {
        return Err(TenantErrorKind::Generation { expected, found }.into());
    }
    let had = before.as_ref().map(|before| before.hosts.as_slice()).unwrap_or_default();
    check_hosts(transaction, &put.tenant, (had, &wanted))?;
    let what = Change::Tenant { hosts: wanted };
    let entry = Entry { tenant: Some(&put.tenant), at_us: put.at_us, by: &put.by, what: &what };
    let number = entry.append(transaction, None, Digest::of(b""))?;
    transaction
        .prepare_cached(
            "INSERT INTO tenants (tenant, generation, at_us) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET generation = excluded.generation",
        )?
        .execute((put.tenant.as_str(), stored(number.0), stored(put.at_us)))?;
    transaction.prepare_cached("DELETE FROM tenant_hosts WHERE tenant = ?1")?.execute((put.tenant.as_str(),))?;
    if let Change::Tenant { hosts } = &what {
        for host in hosts {
            transaction
                .prepare_cached("INSERT INTO tenant_hosts (host, tenant) VALUES (?1, ?2)")?
                .execute((host.as_str(), put.tenant.as_str()))?;
        }
    }
    Ok(TenantChanged { number, is_new: before.is_none() })
}

/// Whether a tenant may have these hosts: no other has them, and no app answers at one that changes hands.
fn check_hosts(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    (had, wanted): (&[Host], &[Host]),
) -> Result<(), Refused> {
    for host in wanted {
        if let Some(other) = granted(transaction, host.as_str())?.filter(|other| other != tenant) {
            return Err(TenantErrorKind::HostGranted { host: host.clone(), tenant: other }.into());
        }
    }
    let in_use = |host: &Host, (tenant, app)| TenantErrorKind::HostInUse { host: host.clone(), tenant, app };
    for host in wanted.iter().filter(|host| !had.contains(host)) {
        if let Some(holder) = hosts::holder(transaction, host.as_str())?.filter(|(other, _)| other != tenant) {
            return Err(in_use(host, holder).into());
        }
    }
    for host in had.iter().filter(|host| !wanted.contains(host)) {
        if let Some(holder) = hosts::holder(transaction, host.as_str())? {
            return Err(in_use(host, holder).into());
        }
    }
    Ok(())
}

fn remove_tenant(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    by: &Actor,
    at_us: u64,
) -> Result<ChangeNumber, Refused> {
    if find(transaction, tenant)?.is_none() {
        return Err(TenantErrorKind::Unknown.into());
    }
    let app: Option<AppName> = transaction
        .prepare_cached("SELECT app FROM apps WHERE tenant = ?1 ORDER BY app LIMIT 1")?
        .query_row((tenant.as_str(),), |row| parsed(row, 0))
        .optional()?;
    if let Some(app) = app {
        return Err(TenantErrorKind::HasApps { app }.into());
    }
    for table in ["tenant_hosts", "tokens", "blobs", "blob_totals", "deploys", "revisions", "tenants"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE tenant = ?1"))?.execute((tenant.as_str(),))?;
    }
    let what = Change::RemoveTenant;
    let entry = Entry { tenant: Some(tenant), at_us, by, what: &what };
    Ok(entry.append(transaction, None, Digest::of(b""))?)
}
