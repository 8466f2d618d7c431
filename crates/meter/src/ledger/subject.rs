//! Whom records are about: names are written once, records carry a number.

use std::path::Path;

use cumulet_spec::usage::UsageSubject;
use rusqlite::{Connection, OptionalExtension as _, ToSql, TransactionBehavior};

use super::failure::{LedgerError, LedgerErrorKind};

/// The number that stands for a subject in the records of one ledger. It is never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId(pub(super) u32);

impl SubjectId {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0 as u64
    }
}

const FIND: &str = "SELECT id FROM subject WHERE tenant = ?1 AND app = ?2 AND component = ?3 AND revision = ?4
    AND node = ?5 AND trigger = ?6";
const ADD: &str =
    "INSERT INTO subject (tenant, app, component, revision, node, trigger) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// The number of a subject that has one.
pub(super) fn find(connection: &Connection, subject: &UsageSubject) -> rusqlite::Result<Option<i64>> {
    with_names(subject, |names| connection.prepare_cached(FIND)?.query_row(names, |row| row.get(0)).optional())
}

/// The numbers of subjects, in their order; those that had none have one from here on, durably, after one sync for all.
pub(super) fn add(
    connection: &mut Connection,
    subjects: &[UsageSubject],
    path: &Path,
) -> Result<Vec<SubjectId>, LedgerError> {
    let mut attempt = || -> rusqlite::Result<Vec<i64>> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut ids = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let id = match find(&transaction, subject)? {
                Some(id) => id,
                None => with_names(subject, |names| transaction.prepare_cached(ADD)?.insert(names))?,
            };
            ids.push(id);
        }
        transaction.commit()?;
        Ok(ids)
    };
    let ids = attempt().map_err(LedgerError::database("write", path))?;
    ids.into_iter().map(|id| id_of(id, path)).collect()
}

/// The number as records carry it.
pub(super) fn id_of(id: i64, path: &Path) -> Result<SubjectId, LedgerError> {
    let full = |_| LedgerError::new("use", path, LedgerErrorKind::Full { what: "subjects" });
    u32::try_from(id).map(SubjectId).map_err(full)
}

fn with_names<T>(
    subject: &UsageSubject,
    run: impl FnOnce(&[&dyn ToSql]) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let UsageSubject { node, tenant, app, component, revision, trigger } = subject;
    let revision: &[u8] = revision.as_bytes();
    run(&[&tenant.as_str(), &app.as_str(), &component.as_str(), &revision, &node.as_str(), &trigger.label()])
}
