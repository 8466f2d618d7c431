//! The log of changes.

use cumulet_spec::id::{Digest, TenantId};
use cumulet_spec::token::Actor;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::failure::Failure;
use super::lookup::{PAGE_APPS_MAX, conversion, number};
use crate::change::{Change, ChangeErrorKind, ChangeNumber, ChangeRow, IdempotencyKey};

/// The most changes that are kept. Until that many others have followed, a request may be sent again under its key.
const CHANGES_KEPT_MAX: i64 = 1_000_000;

/// A request to change something, as the log keeps it.
pub(super) struct Request<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) key: Option<&'a IdempotencyKey>,
    pub(super) at_us: u64,
    pub(super) by: &'a Actor,
    pub(super) expected: Option<ChangeNumber>,
    pub(super) what: &'a Change,
}

impl Request<'_> {
    /// What tells a request from another one under the same key. When it was made and by whom does not: it may be sent
    /// again later, and with another token.
    fn digest(&self) -> Digest {
        // Keys are text and maps are ordered, so the writer cannot fail.
        Digest::of(&serde_json::to_vec(&(self.what, self.expected)).unwrap_or_default())
    }

    /// The change that this request, sent before, has led to.
    pub(super) fn earlier(&self, transaction: &Transaction<'_>) -> Result<Option<ChangeNumber>, Failure> {
        match self.key {
            Some(key) => earlier(transaction, (self.tenant, key), self.digest()),
            None => Ok(None),
        }
    }

    /// Appends the change, and forgets those that are too long ago.
    pub(super) fn append(&self, transaction: &Transaction<'_>) -> Result<ChangeNumber, Failure> {
        let entry = Entry { tenant: Some(self.tenant), at_us: self.at_us, by: self.by, what: self.what };
        Ok(entry.append(transaction, self.key, self.digest())?)
    }
}

/// A change as the log keeps it, of something that is put and not done: it may be put again without a key.
pub(super) struct Entry<'a> {
    pub(super) tenant: Option<&'a TenantId>,
    pub(super) at_us: u64,
    pub(super) by: &'a Actor,
    pub(super) what: &'a Change,
}

impl Entry<'_> {
    pub(super) fn append(
        &self,
        transaction: &Transaction<'_>,
        key: Option<&IdempotencyKey>,
        request: Digest,
    ) -> rusqlite::Result<ChangeNumber> {
        let what = serde_json::to_string(self.what).map_err(conversion)?;
        transaction
            .prepare_cached(
                "INSERT INTO changes (at_us, tenant, idempotency_key, request, what, made_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                stored(self.at_us),
                self.tenant.map_or("", TenantId::as_str),
                key.map(IdempotencyKey::as_str),
                request.as_bytes(),
                what,
                self.by.to_string(),
            ))?;
        let last = transaction.last_insert_rowid();
        transaction
            .prepare_cached("DELETE FROM changes WHERE number <= ?1")?
            .execute((last.saturating_sub(CHANGES_KEPT_MAX),))?;
        number(last)
    }
}

pub(super) fn key_reused(key: &IdempotencyKey) -> Failure {
    ChangeErrorKind::KeyReused { key: key.as_str().to_owned() }.into()
}

/// The change that a request under this key has led to. One that was used for anything else is refused.
pub(super) fn earlier(
    transaction: &Transaction<'_>,
    (tenant, key): (&TenantId, &IdempotencyKey),
    request: Digest,
) -> Result<Option<ChangeNumber>, Failure> {
    let earlier: Option<(i64, [u8; 32])> = transaction
        .prepare_cached("SELECT number, request FROM changes WHERE tenant = ?1 AND idempotency_key = ?2")?
        .query_row((tenant.as_str(), key.as_str()), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let begins_deploy = || {
        transaction
            .prepare_cached("SELECT 1 FROM deploys WHERE tenant = ?1 AND idempotency_key = ?2")?
            .exists((tenant.as_str(), key.as_str()))
    };
    match earlier {
        Some((found, earlier)) if earlier == *request.as_bytes() => Ok(Some(number(found)?)),
        None if !begins_deploy()? => Ok(None),
        None | Some(_) => Err(key_reused(key)),
    }
}

/// Whether a change was made under a key.
pub(super) fn is_used(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    key: &IdempotencyKey,
) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM changes WHERE tenant = ?1 AND idempotency_key = ?2")?
        .exists((tenant.as_str(), key.as_str()))
}

/// What a change was.
pub(super) fn what(transaction: &Transaction<'_>, number: ChangeNumber) -> rusqlite::Result<Change> {
    transaction
        .prepare_cached("SELECT what FROM changes WHERE number = ?1")?
        .query_row((stored(number.0),), |row| serde_json::from_str(row.get_ref(0)?.as_str()?).map_err(conversion))
}

pub(super) fn page(connection: &Connection, after: ChangeNumber, limit: usize) -> rusqlite::Result<Vec<ChangeRow>> {
    connection
        .prepare_cached(
            "SELECT number, at_us, tenant, made_by, what FROM changes WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?
        .query_map((stored(after.0), stored(limit.min(PAGE_APPS_MAX) as u64)), change)?
        .collect()
}

fn change(row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    let tenant = Some(row.get_ref(2)?.as_str()?).filter(|tenant| !tenant.is_empty());
    Ok(ChangeRow {
        number: number(row.get(0)?)?,
        at_us: unsigned(row.get(1)?),
        tenant: tenant.map(TenantId::parse).transpose().map_err(conversion)?,
        by: actor(row, 3)?,
        change: serde_json::from_str(row.get_ref(4)?.as_str()?).map_err(conversion)?,
    })
}

/// Who did something; nobody where that is not known, or damaged.
pub(super) fn actor(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Actor>> {
    Ok(row.get_ref(column)?.as_str()?.parse().ok())
}

/// A number that is never negative; a damaged one counts as zero.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A number as SQLite has it.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
