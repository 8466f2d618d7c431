//! Changing what is deployed in one step: each function is one step of one transaction.

use cumulet_spec::deploy::{DeployFailure, DeployPhase};
use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::traffic::Traffic;
use rusqlite::Transaction;

use super::deploys::fail_all;
use super::failure::Failure;
use super::log::Request;
use super::lookup::conversion;
use super::revisions::{self, NewRevision};
use super::traffic::{State, put};
use crate::change::{Change, ChangeErrorKind, ChangeNumber, Deploy, Deployed, HOSTS_MAX, REVISION_BYTES_MAX, Remove};
use crate::host::Host;

pub(super) fn deploy(transaction: &Transaction<'_>, deploy: &Deploy) -> Result<Deployed, Failure> {
    let name = (&deploy.tenant, &deploy.revision.app);
    let written = serde_json::to_vec(&deploy.revision).map_err(conversion)?;
    let hosts = check(&written, &deploy.hosts)?;
    let digest = Digest::of(&written);
    let what =
        Change::Deploy { app: name.1.clone(), revision: digest, hosts: hosts.clone(), traffic: None, deploy: None };
    let request = Request {
        tenant: name.0,
        key: deploy.idempotency_key.as_ref(),
        at_us: deploy.at_us,
        by: &deploy.by,
        expected: deploy.expected_generation,
        what: &what,
    };
    if let Some(number) = request.earlier(transaction)? {
        return Ok(Deployed { number, revision: digest });
    }
    let state = State::expect(transaction, name, deploy.expected_generation)?;
    let number = request.append(transaction)?;
    let (by, at_us) = (&deploy.by, deploy.at_us);
    let (note, is_ready) = (None, true);
    let new = NewRevision { name, digest, written: &written, hosts: &hosts, note, by, at_us, is_ready };
    revisions::keep(transaction, &new)?;
    put(transaction, name, (number, &Traffic::all(digest)), state)?;
    Ok(Deployed { number, revision: digest })
}

pub(super) fn remove(transaction: &Transaction<'_>, remove: &Remove) -> Result<ChangeNumber, Failure> {
    let name = (&remove.tenant, &remove.app);
    let what = Change::Remove { app: remove.app.clone() };
    let request = Request {
        tenant: &remove.tenant,
        key: remove.idempotency_key.as_ref(),
        at_us: remove.at_us,
        by: &remove.by,
        expected: remove.expected_generation,
        what: &what,
    };
    if let Some(number) = request.earlier(transaction)? {
        return Ok(number);
    }
    if State::expect(transaction, name, remove.expected_generation)?.is_none() {
        return Err(ChangeErrorKind::NotDeployed.into());
    }
    let removed = DeployFailure::new(DeployPhase::Live, "the app was removed meanwhile", "deploy it again");
    fail_all(transaction, name, &removed, remove.at_us)?;
    forget(transaction, name)?;
    request.append(transaction)
}

/// Deletes what is kept of an app but its deploys.
fn forget(transaction: &Transaction<'_>, (tenant, app): (&TenantId, &AppName)) -> rusqlite::Result<()> {
    for table in ["hosts", "revisions", "apps"] {
        transaction
            .prepare_cached(&format!("DELETE FROM {table} WHERE tenant = ?1 AND app = ?2"))?
            .execute((tenant.as_str(), app.as_str()))?;
    }
    Ok(())
}

/// Whether a revision and its hosts can be kept; the hosts in order, each once.
pub(super) fn check(written: &[u8], hosts: &[Host]) -> Result<Vec<Host>, ChangeErrorKind> {
    if written.len() > REVISION_BYTES_MAX {
        return Err(ChangeErrorKind::RevisionTooLarge { bytes: written.len() });
    }
    if hosts.len() > HOSTS_MAX {
        return Err(ChangeErrorKind::TooManyHosts { hosts: hosts.len() });
    }
    let mut hosts = hosts.to_vec();
    hosts.sort();
    hosts.dedup();
    Ok(hosts)
}
