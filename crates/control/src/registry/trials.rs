//! The trials of revisions: kept, or taken back.

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::rollout::Trial;
use cumulet_spec::token::Actor;
use rusqlite::{OptionalExtension as _, Transaction};

use super::failure::{Failure, RegistryError};
use super::log::Entry;
use super::lookup::conversion;
use super::traffic::{Previous, State, put};
use super::{Registry, audits, revisions};
use crate::audit::{AuditEntry, AuditOutcome};
use crate::change::{Change, ChangeError, ChangeErrorKind, TrafficReason};
use crate::traffic::TrafficSet;
use crate::trial::{TAKE_BACK_ACTION, TakeBack};

impl Registry {
    /// Whether a revision is on trial.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_on_trial(&self, tenant: &TenantId, app: &AppName, revision: &Digest) -> Result<bool, RegistryError> {
        self.read(|connection| {
            let trial: Option<Option<String>> = connection
                .prepare_cached("SELECT trial FROM revisions WHERE tenant = ?1 AND app = ?2 AND digest = ?3")?
                .query_row((tenant.as_str(), app.as_str(), revision.as_bytes()), |row| row.get(0))
                .optional()?;
            Ok(trial.flatten().is_some_and(|text| serde_json::from_str(&text).ok() == Some(Trial::Open)))
        })
    }

    /// Ends the trial of a revision that stayed within its bounds. One that has ended stays as it is.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn keep(&self, tenant: &TenantId, app: &AppName, revision: &Digest) -> Result<(), RegistryError> {
        self.write(|transaction| Ok(end(transaction, (tenant, app), revision, &Trial::Kept)?)).map(|_was_open: bool| ())
    }

    /// Leads no request to a revision on trial any more, but to the others that answer; where it answers everything, to
    /// what answered before; the audit log says so. Nothing changes where it is not on trial any more, or gets no requests.
    ///
    /// # Errors
    /// When nothing else ever answered, what answered before is not kept or has lost a host to another app, or the change
    /// cannot be made durable; then nothing has changed.
    pub fn take_back(&self, take_back: &TakeBack) -> Result<Option<TrafficSet>, ChangeError> {
        self.change((&take_back.tenant, &take_back.app), |transaction| run(transaction, take_back))
    }
}

fn run(transaction: &Transaction<'_>, asked: &TakeBack) -> Result<Option<TrafficSet>, Failure> {
    let TakeBack { tenant, app, revision, why, at_us } = asked;
    if !end(transaction, (tenant, app), revision, &Trial::TakenBack { why: why.clone() })? {
        return Ok(None);
    }
    let Some(state) = State::read(transaction, (tenant, app))? else { return Ok(None) };
    let Some(now) = state.traffic.as_ref().filter(|traffic| traffic.revisions().contains(revision)) else {
        return Ok(None);
    };
    let traffic = match (now.without(revision), &state.previous) {
        (Some(others), _) => others,
        (None, Previous::Traffic(previous)) => previous.without(revision).ok_or(ChangeErrorKind::NothingBefore)?,
        (None, Previous::None) => return Err(ChangeErrorKind::NothingBefore.into()),
        (None, Previous::Damaged) => return Err(ChangeErrorKind::BeforeDamaged.into()),
    };
    let what = Change::Traffic { app: app.clone(), traffic: traffic.clone(), reason: TrafficReason::TakenBack };
    let number = revisions::ready(transaction, (tenant, app), revision)?.map(|found| found.number.to_string());
    let noted = AuditEntry {
        at_us: *at_us,
        who: Actor::Node,
        tenant: Some(tenant.clone()),
        action: TAKE_BACK_ACTION,
        target: format!("{app} {}", number.unwrap_or_default()),
        outcome: AuditOutcome::Done,
        reason: why.clone(),
    };
    audits::append(transaction, &noted)?;
    let request = serde_json::to_vec(&("take-back", app, revision, at_us)).map_err(conversion)?;
    let entry = Entry { tenant: Some(tenant), at_us: *at_us, by: &Actor::Node, what: &what };
    let number = entry.append(transaction, None, Digest::of(&request))?;
    put(transaction, (tenant, app), (number, &traffic), Some(state))?;
    Ok(Some(TrafficSet { number, traffic }))
}

/// Ends a trial, and says whether it was open.
fn end(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    revision: &Digest,
    trial: &Trial,
) -> rusqlite::Result<bool> {
    let text = serde_json::to_string(trial).map_err(conversion)?;
    let changed = transaction
        .prepare_cached(
            "UPDATE revisions SET trial = ?4
             WHERE tenant = ?1 AND app = ?2 AND digest = ?3 AND trial = '\"open\"'",
        )?
        .execute((tenant.as_str(), app.as_str(), revision.as_bytes(), text))?;
    Ok(changed > 0)
}
