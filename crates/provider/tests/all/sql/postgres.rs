//! Databases of a real PostgreSQL server, which each test starts for itself.

mod instance;
mod sharing;
mod statements;
mod values;

use std::sync::Arc;

use cumulet_provider::postgres::{Connection, PostgresError, RowSet, Value};

use instance::Instance;

async fn run(connection: &Arc<dyn Connection>, statement: &str) -> Result<RowSet, PostgresError> {
    connection.query(statement.to_owned(), Vec::new()).await
}

/// The only value of the only row.
async fn one(connection: &Arc<dyn Connection>, statement: &str, parameters: Vec<Value>) -> Value {
    connection.query(statement.to_owned(), parameters).await.unwrap().rows[0][0].clone()
}
