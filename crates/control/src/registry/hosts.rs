//! Which app answers at which host.

use cumulet_spec::id::{AppName, TenantId};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::failure::Failure;
use super::lookup::{names, parsed};
use crate::change::ChangeErrorKind;
use crate::host::Host;

/// The app that has a host.
pub(super) fn holder(connection: &Connection, host: &str) -> rusqlite::Result<Option<(TenantId, AppName)>> {
    connection
        .prepare_cached("SELECT tenant, app FROM hosts WHERE host = ?1")?
        .query_row((host,), |row| names(row, 0))
        .optional()
}

/// The hosts of an app, in the order of their text.
pub(super) fn of_app(connection: &Connection, tenant: &TenantId, app: &AppName) -> rusqlite::Result<Vec<Host>> {
    connection
        .prepare_cached("SELECT host FROM hosts WHERE tenant = ?1 AND app = ?2 ORDER BY host")?
        .query_map((tenant.as_str(), app.as_str()), |row| parsed(row, 0))?
        .collect()
}

/// Whether an app may have these hosts: no other one has them.
pub(super) fn check_free(
    connection: &Connection,
    (tenant, app): (&TenantId, &AppName),
    hosts: &[Host],
) -> Result<(), Failure> {
    for host in hosts {
        match holder(connection, host.as_str())? {
            Some((holder, other)) if holder != *tenant => {
                let kind = ChangeErrorKind::HostElsewhere { host: host.clone(), tenant: holder, app: other };
                return Err(kind.into());
            }
            Some((_, other)) if other != *app => {
                return Err(ChangeErrorKind::HostTaken { host: host.clone(), app: other }.into());
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// Gives an app these hosts and no others.
pub(super) fn give(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    hosts: &[Host],
) -> Result<(), Failure> {
    check_free(transaction, (tenant, app), hosts)?;
    transaction
        .prepare_cached("DELETE FROM hosts WHERE tenant = ?1 AND app = ?2")?
        .execute((tenant.as_str(), app.as_str()))?;
    for host in hosts {
        transaction.prepare_cached("INSERT INTO hosts (host, tenant, app) VALUES (?1, ?2, ?3)")?.execute((
            host.as_str(),
            tenant.as_str(),
            app.as_str(),
        ))?;
    }
    Ok(())
}
