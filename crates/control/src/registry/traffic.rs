//! Which revisions of an app answer: every change of it goes through here.

use std::collections::BTreeSet;

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::traffic::Traffic;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::failure::Failure;
use super::log::{Entry, Request, stored};
use super::lookup::{conversion, digest, order};
use super::{Registry, hosts, log, revisions};
use crate::change::{Change, ChangeError, ChangeErrorKind, ChangeNumber, HOSTS_MAX, TrafficReason};
use crate::host::Host;
use crate::traffic::{Rollback, SetTraffic, TrafficSet};

/// What the row of an app says of it.
#[derive(Debug)]
pub(super) struct State {
    /// Damaged ones count as none, so that the next change heals them.
    pub(super) generation: ChangeNumber,
    /// Which revisions answer; none where that is damaged.
    pub(super) traffic: Option<Traffic>,
    /// Which answered before the last change that altered it.
    pub(super) previous: Previous,
}

/// What answered before.
#[derive(Debug)]
pub(super) enum Previous {
    None,
    Damaged,
    Traffic(Traffic),
}

impl State {
    pub(super) fn read(
        connection: &Connection,
        (tenant, app): (&TenantId, &AppName),
    ) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT a.generation, r.digest, a.traffic, a.previous FROM apps a
                 LEFT JOIN revisions r ON r.id = a.revision AND r.tenant = a.tenant AND r.app = a.app
                 WHERE a.tenant = ?1 AND a.app = ?2",
            )?
            .query_row((tenant.as_str(), app.as_str()), |row| {
                let first = digest(row, 1)?.map(Digest::from_bytes);
                let traffic = match row.get_ref(2)?.as_str_or_null()? {
                    Some(text) => serde_json::from_str(text).ok(),
                    None => first.map(Traffic::all),
                };
                let previous = match row.get_ref(3)?.as_str_or_null()?.map(serde_json::from_str) {
                    None => Previous::None,
                    Some(Ok(traffic)) => Previous::Traffic(traffic),
                    Some(Err(_)) => Previous::Damaged,
                };
                let generation = u64::try_from(row.get::<_, i64>(0)?).map_or(ChangeNumber::NONE, ChangeNumber);
                Ok(Self { generation, traffic, previous })
            })
            .optional()
    }

    /// What an app is, if it is what was expected; nothing where it is not deployed.
    pub(super) fn expect(
        transaction: &Transaction<'_>,
        name: (&TenantId, &AppName),
        expected: Option<ChangeNumber>,
    ) -> Result<Option<Self>, Failure> {
        let state = Self::read(transaction, name)?;
        let found = state.as_ref().map_or(ChangeNumber::NONE, |state| state.generation);
        match expected {
            Some(expected) if expected != found => Err(ChangeErrorKind::Generation { expected, found }.into()),
            Some(_) | None => Ok(state),
        }
    }

    /// What answered before this state, seen from one where `traffic` answers.
    fn before(self, traffic: &Traffic) -> Option<Traffic> {
        match self.traffic {
            Some(now) if now != *traffic => Some(now),
            Some(_) => match self.previous {
                Previous::Traffic(previous) => Some(previous),
                Previous::None | Previous::Damaged => None,
            },
            None => None,
        }
    }
}

impl Registry {
    /// Leads the requests of an app to these revisions. The same idempotency key with the same content gives the same
    /// answer, and changes nothing.
    ///
    /// # Errors
    /// When the app is not deployed or has changed, a revision is not kept, another app has one of their hosts, or the
    /// change cannot be made durable; then nothing has changed.
    pub fn set_traffic(&self, set: &SetTraffic) -> Result<TrafficSet, ChangeError> {
        let SetTraffic { tenant, app, traffic, .. } = set;
        let what = Change::Traffic { app: app.clone(), traffic: traffic.clone(), reason: TrafficReason::Set };
        let request = Request {
            tenant,
            key: set.idempotency_key.as_ref(),
            at_us: set.at_us,
            by: &set.by,
            expected: set.expected_generation,
            what: &what,
        };
        self.change((tenant, app), |transaction| {
            if let Some(number) = request.earlier(transaction)? {
                return Ok(TrafficSet { number, traffic: traffic.clone() });
            }
            let Some(state) = State::expect(transaction, (tenant, app), set.expected_generation)? else {
                return Err(ChangeErrorKind::NotDeployed.into());
            };
            let number = request.append(transaction)?;
            put(transaction, (tenant, app), (number, traffic), Some(state))?;
            Ok(TrafficSet { number, traffic: traffic.clone() })
        })
    }

    /// Leads the requests of an app back to where they went before, or to the revision that is named. The same idempotency
    /// key with the same content gives the same answer, and changes nothing.
    ///
    /// # Errors
    /// When the app is not deployed or has changed, nothing answered before, the revision is not kept, another app has one
    /// of its hosts by now, or the change cannot be made durable; then nothing has changed.
    pub fn rollback(&self, rollback: &Rollback) -> Result<TrafficSet, ChangeError> {
        self.change((&rollback.tenant, &rollback.app), |transaction| roll_back(transaction, rollback))
    }
}

fn roll_back(transaction: &Transaction<'_>, rollback: &Rollback) -> Result<TrafficSet, Failure> {
    let name = (&rollback.tenant, &rollback.app);
    // What it comes to depends on when it is asked, so a request is told from others by what was asked for.
    let asked = asked(rollback)?;
    if let Some(done) = rolled_back(transaction, rollback, asked)? {
        return Ok(done);
    }
    let Some(state) = State::expect(transaction, name, rollback.expected_generation)? else {
        return Err(ChangeErrorKind::NotDeployed.into());
    };
    let traffic = match (&rollback.to, &state.previous) {
        (Some(reference), _) => {
            let id = revisions::resolve(transaction, name, reference)?.map_err(ChangeErrorKind::Revision)?;
            Traffic::all(id)
        }
        (None, Previous::Traffic(previous)) => previous.clone(),
        (None, Previous::None) => return Err(ChangeErrorKind::NothingBefore.into()),
        (None, Previous::Damaged) => return Err(ChangeErrorKind::BeforeDamaged.into()),
    };
    let reason = TrafficReason::Rollback;
    let what = Change::Traffic { app: rollback.app.clone(), traffic: traffic.clone(), reason };
    let entry = Entry { tenant: Some(name.0), at_us: rollback.at_us, by: &rollback.by, what: &what };
    let number = entry.append(transaction, rollback.idempotency_key.as_ref(), asked)?;
    put(transaction, name, (number, &traffic), Some(state))?;
    Ok(TrafficSet { number, traffic })
}

/// What tells one request to go back from another one under the same key.
fn asked(rollback: &Rollback) -> Result<Digest, Failure> {
    let to = rollback.to.as_ref().map(ToString::to_string);
    let asked = serde_json::to_vec(&("rollback", &rollback.app, to, rollback.expected_generation));
    Ok(Digest::of(&asked.map_err(conversion)?))
}

/// What the same request, sent before, came to.
fn rolled_back(
    transaction: &Transaction<'_>,
    rollback: &Rollback,
    asked: Digest,
) -> Result<Option<TrafficSet>, Failure> {
    let Some(key) = &rollback.idempotency_key else { return Ok(None) };
    let Some(number) = log::earlier(transaction, (&rollback.tenant, key), asked)? else { return Ok(None) };
    match log::what(transaction, number)? {
        Change::Traffic { traffic, .. } => Ok(Some(TrafficSet { number, traffic })),
        _ => Err(log::key_reused(key)),
    }
}

/// Makes an app what these revisions make it: its row, its hosts, and which revisions are kept.
pub(super) fn put(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    (number, traffic): (ChangeNumber, &Traffic),
    before: Option<State>,
) -> Result<(), Failure> {
    let (mut first, mut all_hosts) = (None, BTreeSet::new());
    for id in order(traffic) {
        let found = revisions::ready(transaction, (tenant, app), &id)?;
        let found = found.ok_or(ChangeErrorKind::RevisionGone { revision: id })?;
        if !found.is_ready {
            return Err(ChangeErrorKind::RevisionNotReady { number: found.number }.into());
        }
        first.get_or_insert(found.row);
        all_hosts.extend(found.hosts);
    }
    if all_hosts.len() > HOSTS_MAX {
        return Err(ChangeErrorKind::TooManyHosts { hosts: all_hosts.len() }.into());
    }
    let is_plain = matches!(traffic.arms(), [arm] if *traffic == Traffic::all(arm.revision));
    let text = |traffic: &Traffic| serde_json::to_string(traffic).map_err(conversion);
    let previous = before.and_then(|before| before.before(traffic));
    transaction
        .prepare_cached(
            "INSERT INTO apps (tenant, app, generation, revision, traffic, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET generation = excluded.generation, revision = excluded.revision,
                 traffic = excluded.traffic, previous = excluded.previous",
        )?
        .execute((
            tenant.as_str(),
            app.as_str(),
            stored(number.0),
            first,
            if is_plain { None } else { Some(text(traffic)?) },
            previous.as_ref().map(text).transpose()?,
        ))?;
    hosts::give(transaction, (tenant, app), &all_hosts.into_iter().collect::<Vec<Host>>())?;
    let kept: Vec<&Traffic> = std::iter::once(traffic).chain(&previous).collect();
    Ok(revisions::forget(transaction, (tenant, app), &kept)?)
}
