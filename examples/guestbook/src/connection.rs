//! The database as the host gives it.

use bindings::spin::sqlite::sqlite::{self, Error};

use crate::database::{Database, DatabaseError, Value};

mod bindings {
    #![allow(unsafe_code, missing_docs, unreachable_pub, reason = "bindings, generated from wit/")]
    wit_bindgen::generate!({ world: "imports", path: "../../wit/sqlite", generate_all });
}

/// The database's name, as the manifest grants it.
const NAME: &str = "default";

/// A connection to the granted database.
#[derive(Debug)]
pub(crate) struct Connection(sqlite::Connection);

impl Connection {
    /// Opens the database.
    pub(crate) fn open() -> Result<Self, DatabaseError> {
        Ok(Self(sqlite::Connection::open(NAME)?))
    }
}

impl From<Error> for DatabaseError {
    fn from(error: Error) -> Self {
        match error {
            Error::AccessDenied | Error::NoSuchDatabase => Self::NotGranted,
            Error::DatabaseFull => Self::Full,
            Error::InvalidConnection => Self::Failed("the connection is not valid".to_owned()),
            Error::Io(why) => Self::Failed(why),
        }
    }
}

impl Database for Connection {
    fn execute(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, DatabaseError> {
        let parameters: Vec<sqlite::Value> = parameters.iter().map(outgoing).collect();
        let result = self.0.execute(statement, &parameters)?;
        result.rows.into_iter().map(|row| row.values.into_iter().map(incoming).collect()).collect()
    }
}

fn outgoing(value: &Value) -> sqlite::Value {
    match value {
        Value::Integer(number) => sqlite::Value::Integer(*number),
        Value::Text(text) => sqlite::Value::Text(text.clone()),
    }
}

fn incoming(value: sqlite::Value) -> Result<Value, DatabaseError> {
    match value {
        sqlite::Value::Integer(number) => Ok(Value::Integer(number)),
        sqlite::Value::Text(text) => Ok(Value::Text(text)),
        sqlite::Value::Real(_) | sqlite::Value::Blob(_) | sqlite::Value::Null => {
            Err(DatabaseError::Failed("a column is of a kind that this app has not written".to_owned()))
        }
    }
}
