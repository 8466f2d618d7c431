//! The revisions of an app: kept, numbered, found again, and forgotten once nothing leads to them.

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::revision::Revision;
use cumulet_spec::rollout::Trial;
use cumulet_spec::token::Actor;
use cumulet_spec::traffic::Traffic;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::Registry;
use super::log::{actor, stored, unsigned};
use super::lookup::{conversion, digest, page_rows, revision, written};
use super::traffic::State;
use crate::host::Host;
use crate::revision::{REVISIONS_KEPT_MAX, RevisionError, RevisionErrorKind, RevisionNumber, RevisionRef, RevisionRow};

use super::failure::RegistryError;

/// What is written down of a new revision.
pub(super) struct NewRevision<'a> {
    pub(super) name: (&'a TenantId, &'a AppName),
    pub(super) digest: Digest,
    pub(super) written: &'a [u8],
    pub(super) hosts: &'a [Host],
    pub(super) note: Option<&'a str>,
    pub(super) by: &'a Actor,
    pub(super) at_us: u64,
    /// Whether it can be led to from now on.
    pub(super) is_ready: bool,
}

/// What changing the traffic needs to know of a revision.
pub(super) struct Ready {
    pub(super) row: i64,
    pub(super) hosts: Vec<Host>,
    pub(super) is_ready: bool,
    pub(super) number: RevisionNumber,
}

impl Registry {
    /// The revisions of an app that are kept, newest first: those before a number, at most `limit` and at most
    /// [`PAGE_APPS_MAX`](super::PAGE_APPS_MAX).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn revisions(
        &self,
        tenant: &TenantId,
        app: &AppName,
        before: Option<RevisionNumber>,
        limit: usize,
    ) -> Result<Vec<RevisionRow>, RegistryError> {
        self.read(|connection| page(connection, (tenant, app), before, limit))
    }

    /// The number of a revision, if it is kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn revision_number(
        &self,
        tenant: &TenantId,
        app: &AppName,
        revision: &Digest,
    ) -> Result<Option<RevisionNumber>, RegistryError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT number FROM revisions WHERE tenant = ?1 AND app = ?2 AND digest = ?3")?
                .query_row((tenant.as_str(), app.as_str(), revision.as_bytes()), |row| row.get(0))
                .optional()
                .map(|number| number.map(|number| RevisionNumber(unsigned(number))))
        })
    }

    /// A revision of an app by its number, its digest, or the beginning of that.
    ///
    /// # Errors
    /// When there is none or there are several, what is stored is damaged, or the file cannot be read.
    pub fn revision(
        &self,
        tenant: &TenantId,
        app: &AppName,
        reference: &RevisionRef,
    ) -> Result<(RevisionRow, Revision), RevisionError> {
        let name = (tenant, app);
        let look = || -> Result<(RevisionRow, Revision), RevisionErrorKind> {
            let found = self.read(|connection| {
                let id = match resolve(connection, name, reference)? {
                    Ok(id) => id,
                    Err(kind) => return Ok(Err(kind)),
                };
                let state = State::read(connection, name)?;
                let percent = state.and_then(|state| state.traffic);
                Ok(match (row(connection, name, &id, percent.as_ref())?, written(connection, name, &id)?) {
                    (Some(row), Some(written)) => Ok((row, written)),
                    _ => Err(unknown(reference)),
                })
            })?;
            let (row, written) = found?;
            let (_, revision) = revision(name, written)?;
            Ok((row, revision))
        };
        look().map_err(|kind| RevisionError { tenant: tenant.clone(), app: app.clone(), kind })
    }
}

/// Keeps a revision. One that is there keeps its number, and who made it when; what is written of it is written anew.
pub(super) fn keep(transaction: &Transaction<'_>, new: &NewRevision<'_>) -> rusqlite::Result<RevisionNumber> {
    let hosts = serde_json::to_string(new.hosts).map_err(conversion)?;
    let (tenant, app) = (new.name.0.as_str(), new.name.1.as_str());
    let number: i64 = transaction
        .prepare_cached(
            "INSERT INTO revisions (tenant, app, digest, at_us, written, number, made_by, note, hosts, is_ready)
             VALUES (?1, ?2, ?3, ?4, ?5,
                 (SELECT coalesce(max(number), 0) + 1 FROM revisions WHERE tenant = ?1 AND app = ?2), ?6, ?7, ?8, ?9)
             ON CONFLICT (tenant, app, digest) DO UPDATE
             SET written = excluded.written, hosts = excluded.hosts, note = coalesce(excluded.note, note),
                 is_ready = max(is_ready, excluded.is_ready)
             RETURNING number",
        )?
        .query_row(
            (
                tenant,
                app,
                new.digest.as_bytes(),
                stored(new.at_us),
                new.written,
                new.by.to_string(),
                new.note,
                hosts,
                new.is_ready,
            ),
            |row| row.get(0),
        )?;
    Ok(RevisionNumber(unsigned(number)))
}

/// What changing the traffic needs to know of a revision, if it is kept.
pub(super) fn ready(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    id: &Digest,
) -> rusqlite::Result<Option<Ready>> {
    transaction
        .prepare_cached(
            "SELECT id, hosts, is_ready, number FROM revisions WHERE tenant = ?1 AND app = ?2 AND digest = ?3",
        )?
        .query_row((tenant.as_str(), app.as_str(), id.as_bytes()), |row| {
            Ok(Ready {
                row: row.get(0)?,
                hosts: serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(conversion)?,
                is_ready: row.get(2)?,
                number: RevisionNumber(unsigned(row.get(3)?)),
            })
        })
        .optional()
}

/// Notes that a revision can be led to from now on, and that its trial begins if it has bounds.
pub(super) fn mark_ready(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    id: &Digest,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE revisions SET is_ready = 1,
                 trial = CASE WHEN json_type(CAST(written AS TEXT), '$.rollout') = 'object' THEN '\"open\"' END
             WHERE tenant = ?1 AND app = ?2 AND digest = ?3",
        )?
        .execute((tenant.as_str(), app.as_str(), id.as_bytes()))?;
    Ok(())
}

/// Forgets the oldest of an app, but never those that requests are or were led to, or that a deploy works on.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    (tenant, app): (&TenantId, &AppName),
    kept: &[&Traffic],
) -> rusqlite::Result<()> {
    let there: i64 = transaction
        .prepare_cached("SELECT count(*) FROM revisions WHERE tenant = ?1 AND app = ?2")?
        .query_row((tenant.as_str(), app.as_str()), |row| row.get(0))?;
    if there <= i64::from(REVISIONS_KEPT_MAX) {
        return Ok(());
    }
    let kept: Vec<String> =
        kept.iter().flat_map(|traffic| traffic.revisions()).map(|id| id.to_hex().to_uppercase()).collect();
    let kept = serde_json::to_string(&kept).map_err(conversion)?;
    transaction
        .prepare_cached(
            "DELETE FROM revisions WHERE id IN (
                 SELECT r.id FROM revisions r WHERE r.tenant = ?1 AND r.app = ?2
                 AND hex(r.digest) NOT IN (SELECT value FROM json_each(?3))
                 AND NOT EXISTS (
                     SELECT 1 FROM deploys d WHERE d.tenant = r.tenant AND d.app = r.app AND d.revision = r.digest
                     AND d.phase NOT IN ('live', 'failed')
                 )
                 ORDER BY r.number DESC LIMIT -1 OFFSET ?4
             )",
        )?
        .execute((tenant.as_str(), app.as_str(), kept, i64::from(REVISIONS_KEPT_MAX)))?;
    Ok(())
}

fn page(
    connection: &Connection,
    name: (&TenantId, &AppName),
    before: Option<RevisionNumber>,
    limit: usize,
) -> rusqlite::Result<Vec<RevisionRow>> {
    // One state: what answers and what is kept belong together.
    let state = connection.unchecked_transaction()?;
    let traffic = State::read(&state, name)?.and_then(|state| state.traffic);
    let before = before.map_or(i64::MAX, |before| stored(before.0));
    let mut statement = state.prepare_cached(
        "SELECT digest, number, made_by, at_us, note, length(written), is_ready, trial FROM revisions
         WHERE tenant = ?1 AND app = ?2 AND number < ?3 ORDER BY number DESC LIMIT ?4",
    )?;
    let rows = statement
        .query_map((name.0.as_str(), name.1.as_str(), before, page_rows(limit)), |row| listed(row, traffic.as_ref()))?;
    // One whose digest is damaged cannot be named, nor led to.
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn row(
    connection: &Connection,
    (tenant, app): (&TenantId, &AppName),
    id: &Digest,
    traffic: Option<&Traffic>,
) -> rusqlite::Result<Option<RevisionRow>> {
    let row = connection
        .prepare_cached(
            "SELECT digest, number, made_by, at_us, note, length(written), is_ready, trial FROM revisions
             WHERE tenant = ?1 AND app = ?2 AND digest = ?3",
        )?
        .query_row((tenant.as_str(), app.as_str(), id.as_bytes()), |row| listed(row, traffic))
        .optional()?;
    Ok(row.flatten())
}

fn listed(row: &Row<'_>, traffic: Option<&Traffic>) -> rusqlite::Result<Option<RevisionRow>> {
    let Some(digest) = digest(row, 0)?.map(Digest::from_bytes) else { return Ok(None) };
    let percent = traffic.and_then(|traffic| traffic.percent(&digest));
    Ok(Some(RevisionRow {
        number: RevisionNumber(unsigned(row.get(1)?)),
        digest,
        by: actor(row, 2)?,
        at_us: unsigned(row.get(3)?),
        note: row.get(4)?,
        percent: percent.map_or(0, |percent| percent.get()),
        is_ready: row.get(6)?,
        bytes: unsigned(row.get(5)?),
        trial: trial(row, 7)?,
    }))
}

/// How a trial stands. What is damaged counts as no trial: then nothing is taken back.
fn trial(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Trial>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.and_then(|text| serde_json::from_str(text).ok()))
}

/// Which revision is meant.
pub(super) fn resolve(
    connection: &Connection,
    (tenant, app): (&TenantId, &AppName),
    reference: &RevisionRef,
) -> rusqlite::Result<Result<Digest, RevisionErrorKind>> {
    let found: Vec<Option<[u8; 32]>> = match reference {
        RevisionRef::Digest(id) => return Ok(Ok(*id)),
        RevisionRef::Number(number) => connection
            .prepare_cached("SELECT digest FROM revisions WHERE tenant = ?1 AND app = ?2 AND number = ?3")?
            .query_map((tenant.as_str(), app.as_str(), stored(number.0)), |row| digest(row, 0))?
            .collect::<rusqlite::Result<_>>()?,
        RevisionRef::Prefix(digits) => connection
            .prepare_cached(
                "SELECT digest FROM revisions
                 WHERE tenant = ?1 AND app = ?2 AND substr(lower(hex(digest)), 1, length(?3)) = ?3 LIMIT 2",
            )?
            .query_map((tenant.as_str(), app.as_str(), digits), |row| digest(row, 0))?
            .collect::<rusqlite::Result<_>>()?,
    };
    Ok(match found.as_slice() {
        [Some(id)] => Ok(Digest::from_bytes(*id)),
        [_, _, ..] => Err(RevisionErrorKind::Ambiguous { reference: reference.to_string() }),
        [] | [None] => Err(unknown(reference)),
    })
}

fn unknown(reference: &RevisionRef) -> RevisionErrorKind {
    RevisionErrorKind::Unknown { reference: reference.to_string() }
}
