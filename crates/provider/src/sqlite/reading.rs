//! From SQLite's rows to ours, and back for parameters, no more than may be returned.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};

use super::failure::Failure;
use super::{RESULT_BYTES_MAX, ROWS_MAX, Rows, VALUE_BYTES, Value};

/// What was read so far, and its size.
#[derive(Default)]
pub(super) struct Reading {
    rows: Rows,
    bytes: usize,
}

/// Why reading stopped.
pub(super) enum Unread {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// What came cannot be returned.
    Refused(Failure),
}

impl Reading {
    /// Steps through a statement whose parameters are bound.
    pub(super) fn all_of(statement: &mut Statement<'_>) -> Result<Rows, Unread> {
        let mut result = Self::default();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(Unread::Sqlite)? {
            // The names are read now: the first step prepares anew what another connection's change made stale.
            if result.rows.rows.is_empty() {
                result.name(row.as_ref()).map_err(Unread::Refused)?;
            }
            let count = result.rows.columns.len();
            let mut values = Vec::with_capacity(count);
            for column in 0..count {
                let value = row.get_ref(column).map_err(Unread::Sqlite)?;
                values.push(result.value(value).map_err(Unread::Refused)?);
            }
            result.push(values).map_err(Unread::Refused)?;
        }
        drop(rows);
        if result.rows.rows.is_empty() {
            result.name(statement).map_err(Unread::Refused)?;
        }
        Ok(result.rows)
    }

    fn name(&mut self, statement: &Statement<'_>) -> Result<(), Failure> {
        for name in statement.column_names() {
            self.count(name.len())?;
            self.rows.columns.push(name.to_owned());
        }
        Ok(())
    }

    fn value(&mut self, value: ValueRef<'_>) -> Result<Value, Failure> {
        self.count(match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
        })?;
        Ok(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => return Err(Failure::statement("a text is not UTF-8; read it as a BLOB")),
            },
        })
    }

    fn push(&mut self, values: Vec<Value>) -> Result<(), Failure> {
        if self.rows.rows.len() == ROWS_MAX {
            return Err(Failure::too_large());
        }
        self.rows.rows.push(values);
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes = self.bytes.saturating_add(bytes + VALUE_BYTES);
        if self.bytes > RESULT_BYTES_MAX { Err(Failure::too_large()) } else { Ok(()) }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Null => ValueRef::Null,
        }))
    }
}
