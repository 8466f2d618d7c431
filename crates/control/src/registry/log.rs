//! The log of changes.

use cumulet_spec::id::{Digest, TenantId};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::failure::Failure;
use super::lookup::{PAGE_APPS_MAX, conversion, number};
use crate::change::{Change, ChangeErrorKind, ChangeNumber, IdempotencyKey};

/// The most changes that are kept. Until that many others have followed, a request may be sent again under its key.
const CHANGES_KEPT_MAX: i64 = 1_000_000;

/// A request to change something, as the log keeps it.
pub(super) struct Request<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) key: Option<&'a IdempotencyKey>,
    pub(super) at_us: u64,
    pub(super) expected: Option<ChangeNumber>,
    pub(super) what: &'a Change,
}

impl Request<'_> {
    /// What tells a request from another one under the same key. When it was made does not: it may be sent again later.
    fn digest(&self) -> Digest {
        // Keys are text and maps are ordered, so the writer cannot fail.
        Digest::of(&serde_json::to_vec(&(self.what, self.expected)).unwrap_or_default())
    }

    /// The change that this request, sent before, has led to.
    pub(super) fn earlier(&self, transaction: &Transaction<'_>) -> Result<Option<ChangeNumber>, Failure> {
        let Some(key) = self.key else { return Ok(None) };
        let earlier: Option<(i64, [u8; 32])> = transaction
            .prepare_cached("SELECT number, request FROM changes WHERE tenant = ?1 AND idempotency_key = ?2")?
            .query_row((self.tenant.as_str(), key.as_str()), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match earlier {
            None => Ok(None),
            Some((found, request)) if request == *self.digest().as_bytes() => Ok(Some(number(found)?)),
            Some(_) => Err(ChangeErrorKind::KeyReused { key: key.as_str().to_owned() }.into()),
        }
    }

    /// Appends the change, and forgets those that are too long ago.
    pub(super) fn append(&self, transaction: &Transaction<'_>) -> Result<ChangeNumber, Failure> {
        let what = serde_json::to_string(self.what).map_err(conversion)?;
        transaction
            .prepare_cached(
                "INSERT INTO changes (at_us, tenant, idempotency_key, request, what) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                stored(self.at_us),
                self.tenant.as_str(),
                self.key.map(IdempotencyKey::as_str),
                self.digest().as_bytes(),
                what,
            ))?;
        let last = transaction.last_insert_rowid();
        transaction
            .prepare_cached("DELETE FROM changes WHERE number <= ?1")?
            .execute((last.saturating_sub(CHANGES_KEPT_MAX),))?;
        Ok(number(last)?)
    }
}

pub(super) fn page(
    connection: &Connection,
    after: ChangeNumber,
    limit: usize,
) -> rusqlite::Result<Vec<(ChangeNumber, TenantId, Change)>> {
    connection
        .prepare_cached("SELECT number, tenant, what FROM changes WHERE number > ?1 ORDER BY number LIMIT ?2")?
        .query_map((stored(after.0), stored(limit.min(PAGE_APPS_MAX) as u64)), change)?
        .collect()
}

fn change(row: &Row<'_>) -> rusqlite::Result<(ChangeNumber, TenantId, Change)> {
    let tenant = TenantId::parse(row.get_ref(1)?.as_str()?).map_err(conversion)?;
    let what = serde_json::from_str(row.get_ref(2)?.as_str()?).map_err(conversion)?;
    Ok((number(row.get(0)?)?, tenant, what))
}

/// A number as SQLite has it.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
