//! The audit log: bounded, and those who are known apart from those who are not.

use cumulet_spec::id::TenantId;
use cumulet_spec::token::Actor;
use rusqlite::{Row, Transaction};

use super::Registry;
use super::failure::RegistryError;
use super::log::{stored, unsigned};
use super::lookup::{conversion, page_rows, parsed, whole};
use crate::audit::{
    AUDIT_ANONYMOUS_MAX, AUDIT_KNOWN_MAX, AUDIT_TEXT_BYTES_MAX, AuditEntry, AuditFilter, AuditNumber, AuditOutcome,
    AuditRow,
};

/// How many entries come between two times that the oldest are forgotten.
const FORGET_EVERY: u64 = 256;

impl Registry {
    /// Keeps an attempt. It is on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn audit(&self, entry: &AuditEntry) -> Result<AuditNumber, RegistryError> {
        self.write(|transaction| Ok(append(transaction, entry)?))
    }

    /// The attempts before one, the newest first: at most `limit` and at most
    /// [`PAGE_APPS_MAX`](super::PAGE_APPS_MAX). A damaged one is left out; its number is missing then.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn audits(
        &self,
        filter: &AuditFilter,
        before: Option<AuditNumber>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, RegistryError> {
        let (before, limit) = (before.map_or(i64::MAX, |before| stored(before.0)), page_rows(limit));
        let columns = "number, at_us, who, tenant, action, target, outcome, reason";
        self.read(|connection| match &filter.tenant {
            None => whole(
                connection
                    .prepare_cached(&format!(
                        "SELECT {columns} FROM audit WHERE number < ?1 ORDER BY number DESC LIMIT ?2"
                    ))?
                    .query_map((before, limit), listed)?,
            ),
            Some(tenant) => whole(
                connection
                    .prepare_cached(&format!(
                        "SELECT {columns} FROM audit WHERE tenant = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"
                    ))?
                    .query_map((tenant.as_str(), before, limit), listed)?,
            ),
        })
    }
}

pub(super) fn append(transaction: &Transaction<'_>, entry: &AuditEntry) -> rusqlite::Result<AuditNumber> {
    transaction
        .prepare_cached(
            "INSERT INTO audit (at_us, who, is_anonymous, tenant, action, target, outcome, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            stored(entry.at_us),
            entry.who.to_string(),
            entry.who == Actor::Anonymous,
            entry.tenant.as_ref().map_or("", TenantId::as_str),
            cut(entry.action),
            cut(&entry.target),
            entry.outcome.label(),
            cut(&entry.reason),
        ))?;
    let number = unsigned(transaction.last_insert_rowid());
    if number.is_multiple_of(FORGET_EVERY) {
        forget(transaction)?;
    }
    Ok(AuditNumber(number))
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(AUDIT_TEXT_BYTES_MAX)).unwrap_or_default()
}

fn forget(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    for (is_anonymous, kept) in [(false, AUDIT_KNOWN_MAX), (true, AUDIT_ANONYMOUS_MAX)] {
        transaction
            .prepare_cached(
                "DELETE FROM audit WHERE is_anonymous = ?1 AND number <= (
                     SELECT number FROM audit WHERE is_anonymous = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2
                 )",
            )?
            .execute((is_anonymous, stored(kept)))?;
    }
    Ok(())
}

fn listed(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let tenant = match row.get_ref(3)?.as_str()? {
        "" => None,
        _ => Some(parsed(row, 3)?),
    };
    let outcome = AuditOutcome::of_label(row.get_ref(6)?.as_str()?);
    Ok(AuditRow {
        number: AuditNumber(unsigned(row.get(0)?)),
        at_us: unsigned(row.get(1)?),
        who: parsed(row, 2)?,
        tenant,
        action: row.get(4)?,
        target: row.get(5)?,
        outcome: outcome.ok_or_else(|| conversion(std::io::Error::other("no outcome of an attempt")))?,
        reason: row.get(7)?,
    })
}
