//! What the server's errors mean.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition};

use super::{PostgresError, QueryError};

/// An error while a statement runs.
pub(super) fn of_statement(error: &Error) -> PostgresError {
    match error.as_db_error() {
        Some(error) => PostgresError::Query(Box::new(query_error(error))),
        None if error.is_closed() => PostgresError::Connection(chain(error)),
        None => PostgresError::Other(chain(error)),
    }
}

/// An error while a connection is made.
pub(super) fn of_connection(error: &Error) -> PostgresError {
    PostgresError::Connection(chain(error))
}

fn query_error(error: &DbError) -> QueryError {
    let position = error.position().map(|position| match position {
        ErrorPosition::Original(position) => position.to_string(),
        ErrorPosition::Internal { position, query } => format!("{position} in {query}"),
    });
    let fields = [
        ("hint", error.hint().map(str::to_owned)),
        ("position", position),
        ("where", error.where_().map(str::to_owned)),
        ("schema", error.schema().map(str::to_owned)),
        ("table", error.table().map(str::to_owned)),
        ("column", error.column().map(str::to_owned)),
        ("datatype", error.datatype().map(str::to_owned)),
        ("constraint", error.constraint().map(str::to_owned)),
    ];
    QueryError {
        as_text: error.to_string(),
        severity: error.severity().to_owned(),
        code: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        extras: fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
    }
}

/// An error with its causes.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
