//! What the app asks of a database: the part of `spin:sqlite` that it uses, so that the rest can be tested without a host.

/// A connection.
pub trait Database {
    /// Runs one statement, whose `?1`, `?2` … are the parameters, and returns its rows.
    ///
    /// # Errors
    /// When the database refuses it or fails.
    fn execute(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, DatabaseError>;
}

/// A value of a column or a parameter: only those kinds that this app has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// Why the database did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The manifest does not grant the database.
    #[error("the manifest does not grant the database")]
    NotGranted,
    /// It has reached its size.
    #[error("the database is full")]
    Full,
    /// Anything else. The text is for the operator.
    #[error("the database failed: {0}")]
    Failed(String),
}
