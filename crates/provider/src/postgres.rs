//! PostgreSQL databases that the operator runs.
//!
//! The values and errors are those of `spin:postgres@4.0.0`. Statements go by the extended protocol alone: one statement
//! per call, parameters beside it and never inside it.
//!
//! | in | is |
//! | --- | --- |
//! | `server` | one server and the connections to it that wait to be used again |
//! | `lease` | one invocation's connection: time, rows and bytes that a statement has, what happens when nobody waits |
//! | `session` | a connection: how it is made, how it is cleaned |
//! | `tls` | how a connection is encrypted |
//! | `encode`, `decode` | parameters and values on the wire; `decimal`, `calendar` their hard parts |
//! | `failure` | what the server's errors mean |

mod calendar;
mod decimal;
mod decode;
mod encode;
mod failure;
mod lease;
mod server;
mod session;
mod tls;

pub use server::{Limits, OpenError, Server};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Rows that one statement may return.
pub const ROWS_MAX: usize = 10_000;
/// Bytes that one statement may return, as they come from the server, each value counted with [`VALUE_BYTES`] more.
pub const RESULT_BYTES_MAX: usize = 8 << 20;
/// What a value costs besides its bytes.
pub const VALUE_BYTES: usize = 16;
/// The longest statement, in bytes.
pub const STATEMENT_BYTES_MAX: usize = 1 << 20;

/// One connection to one server. A transaction that is open when it goes away is rolled back.
///
/// # Cancel safety
/// Dropping the future of a statement asks the server to cancel it and closes the connection. Whoever drops it does not
/// learn whether it was done.
#[async_trait]
pub trait Connection: Send + Sync + std::fmt::Debug {
    /// Runs one statement that returns rows.
    async fn query(&self, statement: String, parameters: Vec<Value>) -> Result<RowSet, PostgresError>;

    /// Runs one statement, and says how many rows it changed.
    async fn execute(&self, statement: String, parameters: Vec<Value>) -> Result<u64, PostgresError>;
}

/// A value of a column or a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `boolean`.
    Boolean(bool),
    /// `"char"`.
    Int8(i8),
    /// `smallint`.
    Int16(i16),
    /// `integer`.
    Int32(i32),
    /// `bigint`.
    Int64(i64),
    /// `real`.
    Floating32(f32),
    /// `double precision`.
    Floating64(f64),
    /// Text; as a parameter, also the text form of any type that has no case here.
    Str(String),
    /// `bytea`.
    Binary(Vec<u8>),
    /// `date`: year (0 is 1 BC), month, day.
    Date(i32, u8, u8),
    /// `time`: hour, minute, second, nanosecond. The server keeps microseconds.
    Time(u8, u8, u8, u32),
    /// `timestamp`, and `timestamptz` in UTC: year, month, day, hour, minute, second, nanosecond. The server keeps
    /// microseconds.
    Datetime(i32, u8, u8, u8, u8, u8, u32),
    /// Seconds since 1970. Only a parameter: a column would lose its microseconds.
    Timestamp(i64),
    /// `uuid`, in its usual form.
    Uuid(String),
    /// `json` or `jsonb`, as text.
    Jsonb(Vec<u8>),
    /// `numeric`, exactly, in base 10; or `NaN`, `Infinity`, `-Infinity`.
    Decimal(String),
    /// `int4range`.
    RangeInt32(Range<i32>),
    /// `int8range`.
    RangeInt64(Range<i64>),
    /// `numrange`.
    RangeDecimal(Range<String>),
    /// `integer[]` of one dimension.
    ArrayInt32(Vec<Option<i32>>),
    /// `bigint[]` of one dimension.
    ArrayInt64(Vec<Option<i64>>),
    /// `numeric[]` of one dimension.
    ArrayDecimal(Vec<Option<String>>),
    /// `text[]` of one dimension.
    ArrayStr(Vec<Option<String>>),
    /// `interval`.
    Interval {
        /// Microseconds.
        micros: i64,
        /// Days.
        days: i32,
        /// Months.
        months: i32,
    },
    /// NULL.
    Null,
    /// A value that has no place here, as the server sent it: another type, an empty range, an array of several
    /// dimensions. Never a parameter.
    Unsupported(Vec<u8>),
}

/// Where a range begins and where it ends; `None` where it does not.
pub type Range<T> = (Option<(T, BoundKind)>, Option<(T, BoundKind)>);

/// Whether a bound belongs to its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoundKind {
    /// It does.
    Inclusive,
    /// It does not.
    Exclusive,
}

/// The type of a column: that of its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the type of the value of the same name")]
pub enum DataType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Floating32,
    Floating64,
    Str,
    Binary,
    Date,
    Time,
    Datetime,
    Timestamp,
    Uuid,
    Jsonb,
    Decimal,
    RangeInt32,
    RangeInt64,
    RangeDecimal,
    ArrayInt32,
    ArrayInt64,
    ArrayDecimal,
    ArrayStr,
    Interval,
    Other(String),
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
}

/// What a query returned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RowSet {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each with a value for each column.
    pub rows: Vec<Vec<Value>>,
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum PostgresError {
    /// The server cannot be reached, or refuses us. Trying again later may help.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// A parameter that is not what the statement needs.
    #[error("a parameter does not fit: {0}")]
    Parameter(String),
    /// The server refused the statement.
    #[error("the statement failed: {}", .0.message)]
    Query(Box<QueryError>),
    /// A value that came cannot be expressed here.
    #[error("a value cannot be converted: {0}")]
    Conversion(String),
    /// More rows or bytes than are returned in one piece. Whether the statement was done is not known.
    #[error("a statement may return at most {ROWS_MAX} rows and {RESULT_BYTES_MAX} bytes")]
    TooLarge,
    /// It ran for too long, and was cancelled.
    #[error("the statement was stopped after {0} ms")]
    TooLong(u64),
    /// All connections are in use; trying again may help.
    #[error("all connections to the server are in use")]
    Busy,
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// The fields of a server's error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryError {
    /// All of it in one line.
    pub as_text: String,
    /// `ERROR`, `FATAL`, `PANIC`.
    pub severity: String,
    /// The five characters of SQLSTATE.
    pub code: String,
    /// What happened.
    pub message: String,
    /// More of it.
    pub detail: Option<String>,
    /// The fields that the server sent besides, such as `constraint` and `hint`, with their names.
    pub extras: Vec<(String, String)>,
}
