//! SQL databases of an app's own, in files.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Rows that one statement may return.
pub const ROWS_MAX: usize = 10_000;
/// Bytes that one statement may return: values and names of columns together.
pub const RESULT_BYTES_MAX: usize = 8 << 20;
/// The longest statement, in bytes.
pub const STATEMENT_BYTES_MAX: usize = 1 << 20;

/// One connection to one database. A transaction that is open when it goes away is rolled back.
///
/// # Cancel safety
/// Dropping the future of a statement interrupts it.
#[async_trait]
pub trait Connection: Send + Sync + std::fmt::Debug {
    /// Runs one statement.
    async fn execute(&self, statement: String, parameters: Vec<Value>) -> Result<Rows, StatementError>;

    /// The row id of the last successful insertion, 0 before the first.
    async fn last_insert_rowid(&self) -> i64;

    /// Rows that the last statement changed.
    async fn changes(&self) -> u64;
}

/// A value of a column or a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Nothing.
    Null,
}

/// What a statement returned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value for each column.
    pub rows: Vec<Vec<Value>>,
}

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum StatementError {
    /// SQLite's own words: the statement, a constraint, a type.
    #[error("{0}")]
    Statement(String),
    /// More rows or bytes than are returned in one piece.
    #[error("a statement may return at most {ROWS_MAX} rows and {RESULT_BYTES_MAX} bytes")]
    TooLarge,
    /// It ran for too long.
    #[error("the statement was stopped after {0} ms")]
    TooLong(u64),
    /// Something that an app may not do, such as attaching another file.
    #[error("not allowed here: {0}")]
    Denied(String),
    /// Others held the database for too long; trying again may help.
    #[error("the database is busy")]
    Busy,
    /// The database has reached its size.
    #[error("the database is full")]
    Full,
    /// The file or the system failed. The text is for the operator.
    #[error("the database failed: {0}")]
    Backend(String),
}
