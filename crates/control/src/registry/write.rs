//! Changing what is deployed: each function is one step of one transaction.

use cumulet_spec::id::{AppName, Digest, TenantId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::failure::Failure;
use super::log::{Request, stored};
use super::lookup::{conversion, names};
use crate::change::{Change, ChangeErrorKind, ChangeNumber, Deploy, Deployed, HOSTS_MAX, REVISION_BYTES_MAX, Remove};
use crate::host::Host;

/// The most revisions of an app that are kept, the current one among them.
const REVISIONS_KEPT_MAX: i64 = 16;

pub(super) fn deploy(transaction: &Transaction<'_>, deploy: &Deploy) -> Result<Deployed, Failure> {
    let (tenant, app) = (&deploy.tenant, &deploy.revision.app);
    let written = serde_json::to_vec(&deploy.revision).map_err(conversion)?;
    check_sizes(&written, &deploy.hosts)?;
    let revision = Digest::of(&written);
    let mut hosts = deploy.hosts.clone();
    hosts.sort();
    hosts.dedup();
    let what = Change::Deploy { app: app.clone(), revision, hosts };
    let request = Request {
        tenant,
        key: deploy.idempotency_key.as_ref(),
        at_us: deploy.at_us,
        expected: deploy.expected_generation,
        what: &what,
    };
    if let Some(number) = request.earlier(transaction)? {
        return Ok(Deployed { number, revision });
    }
    check_generation(transaction, (tenant, app), deploy.expected_generation)?;
    let number = request.append(transaction)?;
    let row = keep_revision(transaction, &request, (number, revision, &written))?;
    transaction
        .prepare_cached(
            "INSERT INTO apps (tenant, app, generation, revision) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET generation = excluded.generation, revision = excluded.revision",
        )?
        .execute((tenant.as_str(), app.as_str(), stored(number.0), row))?;
    if let Change::Deploy { hosts, .. } = &what {
        grant_hosts(transaction, (tenant, app), hosts)?;
    }
    Ok(Deployed { number, revision })
}

pub(super) fn remove(transaction: &Transaction<'_>, remove: &Remove) -> Result<ChangeNumber, Failure> {
    let name = (&remove.tenant, &remove.app);
    let what = Change::Remove { app: remove.app.clone() };
    let request = Request {
        tenant: &remove.tenant,
        key: remove.idempotency_key.as_ref(),
        at_us: remove.at_us,
        expected: remove.expected_generation,
        what: &what,
    };
    if let Some(number) = request.earlier(transaction)? {
        return Ok(number);
    }
    if check_generation(transaction, name, remove.expected_generation)? == ChangeNumber::NONE {
        return Err(ChangeErrorKind::NotDeployed.into());
    }
    for table in ["hosts", "revisions", "apps"] {
        transaction
            .prepare_cached(&format!("DELETE FROM {table} WHERE tenant = ?1 AND app = ?2"))?
            .execute((remove.tenant.as_str(), remove.app.as_str()))?;
    }
    request.append(transaction)
}

fn check_sizes(written: &[u8], hosts: &[Host]) -> Result<(), ChangeErrorKind> {
    if written.len() > REVISION_BYTES_MAX {
        return Err(ChangeErrorKind::RevisionTooLarge { bytes: written.len() });
    }
    if hosts.len() > HOSTS_MAX {
        return Err(ChangeErrorKind::TooManyHosts { hosts: hosts.len() });
    }
    Ok(())
}

/// The generation of an app, if it is the one that was expected.
fn check_generation(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    expected: Option<ChangeNumber>,
) -> Result<ChangeNumber, Failure> {
    let found: Option<i64> = transaction
        .prepare_cached("SELECT generation FROM apps WHERE tenant = ?1 AND app = ?2")?
        .query_row((tenant.as_str(), app.as_str()), |row| row.get(0))
        .optional()?;
    // A damaged number is as good as none: the next deploy heals it.
    let found = found.and_then(|found| u64::try_from(found).ok()).map_or(ChangeNumber::NONE, ChangeNumber);
    match expected {
        Some(expected) if expected != found => Err(ChangeErrorKind::Generation { expected, found }.into()),
        Some(_) | None => Ok(found),
    }
}

/// Keeps a revision, anew if it is there already, and drops the oldest of the app. Returns its row.
fn keep_revision(
    transaction: &Transaction<'_>,
    request: &Request<'_>,
    (created_by, digest, written): (ChangeNumber, Digest, &[u8]),
) -> Result<i64, Failure> {
    let (tenant, app) = (request.tenant.as_str(), request.what.app().as_str());
    let row = transaction
        .prepare_cached(
            "INSERT INTO revisions (tenant, app, digest, at_us, created_by, written) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (tenant, app, digest) DO UPDATE
             SET at_us = excluded.at_us, created_by = excluded.created_by, written = excluded.written
             RETURNING id",
        )?
        .query_row((tenant, app, digest.as_bytes(), stored(request.at_us), stored(created_by.0), written), |row| {
            row.get(0)
        })?;
    transaction
        .prepare_cached(
            "DELETE FROM revisions WHERE id IN (
                 SELECT id FROM revisions WHERE tenant = ?1 AND app = ?2 ORDER BY created_by DESC LIMIT -1 OFFSET ?3
             )",
        )?
        .execute((tenant, app, REVISIONS_KEPT_MAX))?;
    Ok(row)
}

/// Gives an app these hosts and no others.
fn grant_hosts(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    hosts: &[Host],
) -> Result<(), Failure> {
    transaction
        .prepare_cached("DELETE FROM hosts WHERE tenant = ?1 AND app = ?2")?
        .execute((tenant.as_str(), app.as_str()))?;
    for host in hosts {
        let holder = transaction
            .prepare_cached("SELECT tenant, app FROM hosts WHERE host = ?1")?
            .query_row((host.as_str(),), |row| names(row, 0))
            .optional()?;
        if let Some((tenant, app)) = holder {
            return Err(ChangeErrorKind::HostTaken { host: host.clone(), tenant, app }.into());
        }
        transaction.prepare_cached("INSERT INTO hosts (host, tenant, app) VALUES (?1, ?2, ?3)")?.execute((
            host.as_str(),
            tenant.as_str(),
            app.as_str(),
        ))?;
    }
    Ok(())
}
