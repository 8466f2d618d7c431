//! The book: a table, and the statements that write and read it.

use crate::database::{Database, DatabaseError, Value};
use crate::draft::Draft;

/// Entries on one page.
pub const PAGE_ENTRIES_MAX: usize = 20;

/// The version of the schema below, which the database remembers. A later one would go on from what it finds.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "create table if not exists entry (
    id integer primary key,
    at integer not null default (unixepoch()),
    name text not null,
    message text not null
)";

const SIGN: &str = "insert into entry (name, message) values (?1, ?2)";

const NEWEST: &str = "select id, strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch'), name, message
    from entry where id < ?1 order by id desc limit ?2";

/// A book in a database.
#[derive(Debug)]
pub struct Book<D>(D);

/// An entry as it stands in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// When it was written, as `2026-01-31T23:59:59Z`.
    pub at: String,
    /// Who wrote it.
    pub name: String,
    /// What was written.
    pub message: String,
}

/// Some entries, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most [`PAGE_ENTRIES_MAX`] of them.
    pub entries: Vec<Entry>,
    /// What to pass as `before` for the next page, if there is one.
    pub next: Option<i64>,
}

impl<D: Database> Book<D> {
    /// Opens the book, and makes it where there is none yet. Two who do so at once do no harm.
    ///
    /// # Errors
    /// When the database fails.
    pub fn open(database: D) -> Result<Self, DatabaseError> {
        let version = database.execute("pragma user_version", &[])?;
        let version = version.first().and_then(|row| row.first());
        if version != Some(&Value::Integer(SCHEMA_VERSION)) {
            database.execute(SCHEMA, &[])?;
            database.execute(&format!("pragma user_version = {SCHEMA_VERSION}"), &[])?;
        }
        Ok(Self(database))
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// When the database fails or is full.
    pub fn sign(&self, draft: &Draft) -> Result<(), DatabaseError> {
        let parameters = [draft.name(), draft.message()].map(|text| Value::Text(text.to_owned()));
        self.0.execute(SIGN, &parameters).map(drop)
    }

    /// The newest entries whose number is below `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn newest(&self, before: Option<i64>) -> Result<Page, DatabaseError> {
        // One more than is shown tells whether there is another page.
        let limit = i64::try_from(PAGE_ENTRIES_MAX + 1).unwrap_or(i64::MAX);
        let rows = self.0.execute(NEWEST, &[Value::Integer(before.unwrap_or(i64::MAX)), Value::Integer(limit)])?;
        let mut entries = rows.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let more = entries.len() > PAGE_ENTRIES_MAX;
        entries.truncate(PAGE_ENTRIES_MAX);
        let next = entries.last().map(|entry| entry.id).filter(|_| more);
        Ok(Page { entries, next })
    }
}

fn entry(row: Vec<Value>) -> Result<Entry, DatabaseError> {
    match <[Value; 4]>::try_from(row) {
        Ok([Value::Integer(id), Value::Text(at), Value::Text(name), Value::Text(message)]) => {
            Ok(Entry { id, at, name, message })
        }
        _ => Err(DatabaseError::Failed("the table `entry` is not this app's".to_owned())),
    }
}
