//! Deploys: rows that say how far a revision is on its way.

use cumulet_spec::deploy::{DeployFailure, DeployId, DeployPhase};
use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::traffic::{Percent, Traffic};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::failure::{Failure, RegistryError};
use super::hosts::check_free;
use super::log::{Entry, is_used, key_reused, stored, unsigned};
use super::lookup::{conversion, number, page_rows, parsed, whole};
use super::revisions::{self, NewRevision};
use super::traffic::{Previous, State, put};
use super::{Registry, write};
use crate::change::{Change, ChangeError, ChangeErrorKind, ChangeNumber, Deployed, IdempotencyKey};
use crate::deploy::{
    BeginDeploy, Begun, DEPLOYS_KEPT_MAX, DEPLOYS_UNFINISHED_MAX, DeployError, DeployErrorKind, DeployRow,
    NOTE_BYTES_MAX, TENANT_DEPLOYS_KEPT_MAX,
};
use crate::host::Host;
use crate::revision::RevisionNumber;

/// The columns of a deploy, in the order in which [`listed`] reads them.
const COLUMNS: &str = "id, tenant, app, revision, number, made_by, at_us, phase, phases, failure, share, expected,
                       idempotency_key, generation";

impl Registry {
    /// Writes a revision down, under its number, and a deploy that leads to it. Nothing answers differently yet. The same
    /// idempotency key with the same content gives the same deploy.
    ///
    /// # Errors
    /// When the request contradicts what is deployed, something in it is too large, too many deploys are on their way, or
    /// it cannot be made durable; then nothing has changed.
    pub fn begin_deploy(&self, begin: &BeginDeploy) -> Result<Begun, ChangeError> {
        self.change((&begin.tenant, &begin.revision.app), |transaction| start(transaction, begin))
    }

    /// Notes that a deploy has reached a phase. One that it has reached before stays as it is, so that a deploy can go
    /// through them again after a restart.
    ///
    /// # Errors
    /// When there is no such deploy, it has ended, a phase before was left out, or it cannot be made durable.
    pub fn advance(&self, id: &DeployId, phase: DeployPhase, at_us: u64) -> Result<(), DeployError> {
        self.step(id, |transaction| {
            let row = open(transaction, id)?;
            if phase <= row.phase {
                return Ok(());
            }
            let next = DeployPhase::ALL.into_iter().find(|next| *next > row.phase);
            if next != Some(phase) || phase.is_end() {
                return Err(DeployErrorKind::Order { found: row.phase, asked: phase }.into());
            }
            Ok(reach(transaction, &row, (phase, at_us), None)?)
        })
    }

    /// Gives a deploy up; its revision stays, until others take its place. One that was given up stays as it is.
    ///
    /// # Errors
    /// When there is no such deploy, it is live, or it cannot be made durable.
    pub fn fail(&self, id: &DeployId, failure: &DeployFailure, at_us: u64) -> Result<(), DeployError> {
        self.step(id, |transaction| match open(transaction, id) {
            Ok(row) => Ok(give_up(transaction, &row, failure, at_us)?),
            Err(Failure::Refused(DeployErrorKind::Ended { phase: DeployPhase::Failed })) => Ok(()),
            Err(failure) => Err(failure),
        })
    }

    /// Leads requests to the revision of a deploy that was probed: all of them, or the share that was asked for, of which
    /// the others' shares are taken as they are now. All of it, the hosts too, in one step. Asked again it gives the same
    /// answer.
    ///
    /// # Errors
    /// When there is no such deploy, it has ended otherwise, was not probed, the app has changed, another app has one of
    /// its hosts, or it cannot be made durable; then nothing has changed, and what answered answers on.
    pub fn go_live(&self, id: &DeployId, at_us: u64) -> Result<Deployed, DeployError> {
        self.step(id, |transaction| {
            let row = find(transaction, id)?.ok_or(DeployErrorKind::Unknown)?;
            match (row.phase, row.generation) {
                (DeployPhase::Live, Some(number)) => Ok(Deployed { number, revision: row.revision }),
                (phase @ (DeployPhase::Live | DeployPhase::Failed), _) => Err(DeployErrorKind::Ended { phase }.into()),
                (DeployPhase::Probed, _) => Ok(make_live(transaction, &row, at_us)?),
                (found, _) => Err(DeployErrorKind::Order { found, asked: DeployPhase::Live }.into()),
            }
        })
    }

    /// A deploy, if it is kept.
    ///
    /// # Errors
    /// When the file cannot be read, or what it says of the deploy is damaged.
    pub fn find_deploy(&self, id: &DeployId) -> Result<Option<DeployRow>, RegistryError> {
        self.read(|connection| find(connection, id))
    }

    /// The deploys of an app that are kept, the newest first: at most `limit`, without damaged ones.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn deploys(&self, tenant: &TenantId, app: &AppName, limit: usize) -> Result<Vec<DeployRow>, RegistryError> {
        self.read(|connection| {
            whole(
                connection
                    .prepare_cached(&format!(
                        "SELECT {COLUMNS} FROM deploys WHERE tenant = ?1 AND app = ?2 ORDER BY seq DESC LIMIT ?3"
                    ))?
                    .query_map((tenant.as_str(), app.as_str(), page_rows(limit)), listed)?,
            )
        })
    }

    /// The deploys of all tenants that have not ended, the oldest first of each: what a node that was
    /// restarted goes on with. Damaged ones are left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unfinished_deploys(&self) -> Result<Vec<DeployRow>, RegistryError> {
        self.read(|connection| {
            whole(
                connection
                    .prepare(&format!(
                        "SELECT {COLUMNS} FROM deploys WHERE phase NOT IN ('live', 'failed') ORDER BY tenant, seq"
                    ))?
                    .query_map((), listed)?,
            )
        })
    }

    fn step<T>(
        &self,
        id: &DeployId,
        run: impl FnOnce(&Transaction<'_>) -> Result<T, Failure<DeployErrorKind>>,
    ) -> Result<T, DeployError> {
        self.write(run).map_err(|kind| DeployError { id: id.clone(), kind })
    }
}

fn start(transaction: &Transaction<'_>, begin: &BeginDeploy) -> Result<Begun, Failure> {
    let name = (&begin.tenant, &begin.revision.app);
    let written = serde_json::to_vec(&begin.revision).map_err(conversion)?;
    let hosts = write::check(&written, &begin.hosts)?;
    let digest = Digest::of(&written);
    let request = asked(begin, digest, &hosts)?;
    if let Some(key) = &begin.idempotency_key
        && let Some(begun) = begun(transaction, (name.0, key), request)?
    {
        return Ok(begun);
    }
    check_room(transaction, begin)?;
    let state = State::expect(transaction, name, begin.expected_generation)?;
    check_free(transaction, name, &hosts)?;
    let (note, by, at_us) = (begin.note.as_deref(), &begin.by, begin.at_us);
    let new = NewRevision { name, digest, written: &written, hosts: &hosts, note, by, at_us, is_ready: false };
    let number = revisions::keep(transaction, &new)?;
    insert(transaction, begin, (digest, number, request))?;
    forget_ended(transaction, name)?;
    let answering = state.iter().flat_map(|state| {
        let previous = match &state.previous {
            Previous::Traffic(previous) => Some(previous),
            Previous::None | Previous::Damaged => None,
        };
        state.traffic.iter().chain(previous)
    });
    revisions::forget(transaction, name, &answering.collect::<Vec<_>>())?;
    Ok(Begun { id: begin.id.clone(), number, revision: digest, is_new: true })
}

/// What tells one request for a deploy from another one under the same key.
fn asked(begin: &BeginDeploy, revision: Digest, hosts: &[Host]) -> Result<Digest, Failure> {
    let app = &begin.revision.app;
    let asked = serde_json::to_vec(&(app, revision, hosts, begin.share, &begin.note, begin.expected_generation));
    Ok(Digest::of(&asked.map_err(conversion)?))
}

/// The deploy that the same request, sent before, has begun.
fn begun(
    transaction: &Transaction<'_>,
    (tenant, key): (&TenantId, &IdempotencyKey),
    request: Digest,
) -> Result<Option<Begun>, Failure> {
    let earlier: Option<(DeployRow, [u8; 32])> = transaction
        .prepare_cached(&format!("SELECT {COLUMNS}, request FROM deploys WHERE tenant = ?1 AND idempotency_key = ?2"))?
        .query_row((tenant.as_str(), key.as_str()), |row| Ok((listed(row)?, row.get(14)?)))
        .optional()?;
    match earlier {
        Some((DeployRow { id, number, revision, .. }, earlier)) if earlier == *request.as_bytes() => {
            Ok(Some(Begun { id, number, revision, is_new: false }))
        }
        None if !is_used(transaction, tenant, key)? => Ok(None),
        None | Some(_) => Err(key_reused(key)),
    }
}

fn check_room(transaction: &Transaction<'_>, begin: &BeginDeploy) -> Result<(), Failure> {
    if let Some(bytes) = begin.note.as_ref().map(String::len).filter(|bytes| *bytes > NOTE_BYTES_MAX) {
        return Err(ChangeErrorKind::NoteTooLong { bytes }.into());
    }
    if find(transaction, &begin.id)?.is_some() {
        return Err(ChangeErrorKind::DeployExists { id: begin.id.clone() }.into());
    }
    let unfinished: i64 = transaction
        .prepare_cached("SELECT count(*) FROM deploys WHERE tenant = ?1 AND phase NOT IN ('live', 'failed')")?
        .query_row((begin.tenant.as_str(),), |row| row.get(0))?;
    if unfinished >= i64::from(DEPLOYS_UNFINISHED_MAX) {
        return Err(ChangeErrorKind::TooManyDeploys.into());
    }
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    begin: &BeginDeploy,
    (revision, number, request): (Digest, RevisionNumber, Digest),
) -> rusqlite::Result<()> {
    let phases = serde_json::to_string(&[(DeployPhase::Received, begin.at_us)]).map_err(conversion)?;
    transaction
        .prepare_cached(
            "INSERT INTO deploys (id, tenant, app, revision, number, made_by, at_us, phase, phases, share, expected,
                                  idempotency_key, request)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute((
            begin.id.as_str(),
            begin.tenant.as_str(),
            begin.revision.app.as_str(),
            revision.as_bytes(),
            stored(number.0),
            begin.by.to_string(),
            stored(begin.at_us),
            DeployPhase::Received.label(),
            phases,
            begin.share.map(|share| i64::from(share.get())),
            begin.expected_generation.map(|expected| stored(expected.0)),
            begin.idempotency_key.as_ref().map(IdempotencyKey::as_str),
            request.as_bytes(),
        ))?;
    Ok(())
}

/// Forgets the oldest deploys that have ended. An app that was never live goes with the last of its own.
fn forget_ended(transaction: &Transaction<'_>, (tenant, app): (&TenantId, &AppName)) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM deploys WHERE seq IN (
                 SELECT seq FROM deploys WHERE tenant = ?1 AND app = ?2 AND phase IN ('live', 'failed')
                 ORDER BY seq DESC LIMIT -1 OFFSET ?3
             )",
        )?
        .execute((tenant.as_str(), app.as_str(), i64::from(DEPLOYS_KEPT_MAX)))?;
    let gone: Vec<String> = transaction
        .prepare_cached(
            "DELETE FROM deploys WHERE seq IN (
                 SELECT seq FROM deploys WHERE tenant = ?1 AND phase IN ('live', 'failed')
                 ORDER BY seq DESC LIMIT -1 OFFSET ?2
             ) RETURNING app",
        )?
        .query_map((tenant.as_str(), i64::from(TENANT_DEPLOYS_KEPT_MAX)), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for app in gone {
        transaction
            .prepare_cached(
                "DELETE FROM revisions WHERE tenant = ?1 AND app = ?2
                 AND NOT EXISTS (SELECT 1 FROM apps WHERE tenant = ?1 AND app = ?2)
                 AND NOT EXISTS (SELECT 1 FROM deploys WHERE tenant = ?1 AND app = ?2)",
            )?
            .execute((tenant.as_str(), app))?;
    }
    Ok(())
}

fn make_live(transaction: &Transaction<'_>, row: &DeployRow, at_us: u64) -> Result<Deployed, Failure> {
    let name = (&row.tenant, &row.app);
    let state = State::expect(transaction, name, row.expected_generation)?;
    let answering = state.as_ref().and_then(|state| state.traffic.as_ref());
    let traffic = match (answering, row.share) {
        (Some(answering), Some(share)) => answering.with_share(row.revision, share),
        (None, _) | (_, None) => Traffic::all(row.revision),
    };
    revisions::mark_ready(transaction, name, &row.revision)?;
    let hosts = revisions::ready(transaction, name, &row.revision)?.map(|found| found.hosts);
    let what = Change::Deploy {
        app: row.app.clone(),
        revision: row.revision,
        hosts: hosts.unwrap_or_default(),
        traffic: Some(traffic.clone()).filter(|traffic| *traffic != Traffic::all(row.revision)),
        deploy: Some(row.id.clone()),
    };
    let request = Digest::of(row.id.as_str().as_bytes());
    let entry = Entry { tenant: Some(&row.tenant), at_us, by: &row.by, what: &what };
    let number = entry.append(transaction, None, request)?;
    put(transaction, name, (number, &traffic), state)?;
    reach(transaction, row, (DeployPhase::Live, at_us), Some(number))?;
    Ok(Deployed { number, revision: row.revision })
}

/// A deploy that has not ended.
fn open(transaction: &Transaction<'_>, id: &DeployId) -> Result<DeployRow, Failure<DeployErrorKind>> {
    let row = find(transaction, id)?.ok_or(DeployErrorKind::Unknown)?;
    if row.phase.is_end() { Err(DeployErrorKind::Ended { phase: row.phase }.into()) } else { Ok(row) }
}

fn reach(
    transaction: &Transaction<'_>,
    row: &DeployRow,
    (phase, at_us): (DeployPhase, u64),
    generation: Option<ChangeNumber>,
) -> rusqlite::Result<()> {
    let phases: Vec<_> = row.phases.iter().copied().chain([(phase, at_us)]).collect();
    let phases = serde_json::to_string(&phases).map_err(conversion)?;
    transaction
        .prepare_cached("UPDATE deploys SET phase = ?2, phases = ?3, generation = ?4 WHERE id = ?1")?
        .execute((row.id.as_str(), phase.label(), phases, generation.map(|number| stored(number.0))))?;
    Ok(())
}

fn give_up(
    transaction: &Transaction<'_>,
    row: &DeployRow,
    failure: &DeployFailure,
    at_us: u64,
) -> rusqlite::Result<()> {
    reach(transaction, row, (DeployPhase::Failed, at_us), None)?;
    let failure = serde_json::to_string(failure).map_err(conversion)?;
    transaction.prepare_cached("UPDATE deploys SET failure = ?2 WHERE id = ?1")?.execute((row.id.as_str(), failure))?;
    Ok(())
}

/// Gives up every deploy of an app that has not ended.
pub(super) fn fail_all(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    failure: &DeployFailure,
    at_us: u64,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM deploys WHERE tenant = ?1 AND app = ?2 AND phase NOT IN ('live', 'failed')"
    ))?;
    let rows = whole(statement.query_map((tenant.as_str(), app.as_str()), listed)?)?;
    rows.iter().try_for_each(|row| give_up(transaction, row, failure, at_us))
}

fn find(connection: &Connection, id: &DeployId) -> rusqlite::Result<Option<DeployRow>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM deploys WHERE id = ?1"))?
        .query_row((id.as_str(),), listed)
        .optional()
}

fn listed(row: &Row<'_>) -> rusqlite::Result<DeployRow> {
    let json = |column| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let revision = Digest::from_bytes(row.get(3)?);
    let share: Option<u32> = row.get(10)?;
    let of_number = |column| row.get::<_, Option<i64>>(column)?.map(number).transpose();
    let phase: String = row.get(7)?;
    Ok(DeployRow {
        id: parsed(row, 0)?,
        tenant: parsed(row, 1)?,
        app: parsed(row, 2)?,
        revision,
        number: RevisionNumber(unsigned(row.get(4)?)),
        by: parsed(row, 5)?,
        at_us: unsigned(row.get(6)?),
        phase: DeployPhase::ALL
            .into_iter()
            .find(|known| known.label() == phase)
            .ok_or_else(|| conversion(std::io::Error::other("no phase of a deploy")))?,
        phases: serde_json::from_str(row.get_ref(8)?.as_str()?).map_err(conversion)?,
        failure: json(9)?.map(serde_json::from_str).transpose().map_err(conversion)?,
        share: share.map(Percent::new).transpose().map_err(conversion)?,
        expected_generation: of_number(11)?,
        idempotency_key: row.get(12)?,
        generation: of_number(13)?,
    })
}
