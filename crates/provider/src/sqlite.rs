//! SQL databases of an app's own, in files.
//!
//! The SQL comes from guests that nobody trusts. A database is one file; no statement reaches another one, runs longer
//! than a fixed time, returns more than a fixed number of bytes, or leaves anything behind for the next invocation
//! except what it committed.
//!
//! | in | is |
//! | --- | --- |
//! | `database` | one file and the connections to it that wait to be used again |
//! | `lease` | one invocation's connection: waits, retries, stops what nobody waits for |
//! | `session` | SQLite itself: how a connection is set up, how one statement runs, how traces are removed |
//! | `authorizer` | what a guest's statement may do |
//! | `reading` | rows and values, no more than may be returned |
//! | `failure` | what SQLite's errors mean |
//! | `function` | functions of SQLite that are replaced, because nothing could stop them |
//! | `watch` | the time that a statement has |

mod authorizer;
mod database;
mod failure;
mod function;
mod lease;
mod reading;
mod session;
mod watch;

pub use database::{Database, Limits, OpenError, OpenErrorKind};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Rows that one statement may return.
pub const ROWS_MAX: usize = 10_000;
/// Bytes that one statement may return: values and names of columns together, each counted with [`VALUE_BYTES`] more.
pub const RESULT_BYTES_MAX: usize = 8 << 20;
/// What a value costs besides its text or bytes, so that ten thousand rows of NULLs are not free.
pub const VALUE_BYTES: usize = 16;
/// The longest statement, in bytes.
pub const STATEMENT_BYTES_MAX: usize = 1 << 20;

/// One connection to one database. A transaction that is open when it goes away is rolled back.
///
/// # Cancel safety
/// Dropping the future of a statement interrupts it. Whoever drops it does not learn whether it was done; as after any
/// interruption, an open transaction is rolled back if the statement was writing.
#[async_trait]
pub trait Connection: Send + Sync + std::fmt::Debug {
    /// Runs one statement, with a parameter for each of its places in their order.
    async fn execute(&self, statement: String, parameters: Vec<Value>) -> Result<Rows, StatementError>;

    /// The row id of the last successful insertion, 0 before the first.
    async fn last_insert_rowid(&self) -> i64;

    /// Rows that the last statement changed that changes rows at all, 0 before the first.
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
