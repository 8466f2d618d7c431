//! `spin:sqlite`: databases of the app's own that were granted by name.

use crate::stores::{HasStores, Refusal, View};
use bindings::spin::sqlite::sqlite;
use cumulet_provider::sqlite::{Connection, Rows, StatementError, Value};
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::{Linker, LinkerInstance, Resource};

#[expect(clippy::error_impl_error, reason = "the name is the interface's own")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/sqlite",
        world: "imports",
        imports: {
            "spin:sqlite/sqlite.[drop]connection": trappable,
            default: async | trappable,
        },
        with: { "spin:sqlite/sqlite.connection": super::ConnectionHandle },
    });
}

/// An open connection of a guest.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct ConnectionHandle(Arc<dyn Connection>);

/// Offers the interface.
pub(crate) fn add_to_linker<T: Send + 'static>(linker: &mut Linker<T>, view: fn(&mut T) -> View<'_>) -> Result<()> {
    sqlite::add_to_linker::<T, HasStores>(linker, view)
}

/// Offers it under any name.
pub(crate) fn add_to_instance<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> View<'_>,
) -> Result<()> {
    sqlite::add_to_linker_instance::<T, HasStores>(instance, view)
}

fn told(error: StatementError) -> sqlite::Error {
    match error {
        StatementError::Full => sqlite::Error::DatabaseFull,
        StatementError::Backend(cause) => {
            tracing::warn!(%cause, "an SQL database failed");
            // What the system says is for the operator.
            sqlite::Error::Io("the database failed".to_owned())
        }
        of_the_statement => sqlite::Error::Io(of_the_statement.to_string()),
    }
}

fn read(value: sqlite::Value) -> Value {
    match value {
        sqlite::Value::Integer(number) => Value::Integer(number),
        sqlite::Value::Real(number) => Value::Real(number),
        sqlite::Value::Text(text) => Value::Text(text),
        sqlite::Value::Blob(bytes) => Value::Blob(bytes),
        sqlite::Value::Null => Value::Null,
    }
}

fn shown(value: Value) -> sqlite::Value {
    match value {
        Value::Integer(number) => sqlite::Value::Integer(number),
        Value::Real(number) => sqlite::Value::Real(number),
        Value::Text(text) => sqlite::Value::Text(text),
        Value::Blob(bytes) => sqlite::Value::Blob(bytes),
        Value::Null => sqlite::Value::Null,
    }
}

fn result(found: Rows) -> sqlite::QueryResult {
    let row = |values: Vec<Value>| sqlite::RowResult { values: values.into_iter().map(shown).collect() };
    sqlite::QueryResult { columns: found.columns, rows: found.rows.into_iter().map(row).collect() }
}

impl sqlite::Host for View<'_> {}

impl sqlite::HostConnection for View<'_> {
    async fn open(&mut self, database: String) -> Result<Result<Resource<ConnectionHandle>, sqlite::Error>> {
        match self.stores.database(&database).await {
            Ok(found) => Ok(Ok(self.table.push(ConnectionHandle(found.connect()))?)),
            Err(Refusal::Denied) => Ok(Err(sqlite::Error::AccessDenied)),
            Err(Refusal::Closed(error)) => {
                tracing::warn!(database, error = error.chain(), "an SQL database cannot be opened");
                Ok(Err(sqlite::Error::Io("the database cannot be opened".to_owned())))
            }
        }
    }

    async fn execute(
        &mut self,
        connection: Resource<ConnectionHandle>,
        statement: String,
        parameters: Vec<sqlite::Value>,
    ) -> Result<Result<sqlite::QueryResult, sqlite::Error>> {
        let connection = Arc::clone(&self.table.get(&connection)?.0);
        let parameters = parameters.into_iter().map(read).collect();
        Ok(connection.execute(statement, parameters).await.map(result).map_err(told))
    }

    async fn last_insert_rowid(&mut self, connection: Resource<ConnectionHandle>) -> Result<i64> {
        let connection = Arc::clone(&self.table.get(&connection)?.0);
        Ok(connection.last_insert_rowid().await)
    }

    async fn changes(&mut self, connection: Resource<ConnectionHandle>) -> Result<u64> {
        let connection = Arc::clone(&self.table.get(&connection)?.0);
        Ok(connection.changes().await)
    }

    fn drop(&mut self, connection: Resource<ConnectionHandle>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}
