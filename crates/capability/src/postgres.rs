//! `spin:postgres`: PostgreSQL databases that were granted by name.

mod value;

use crate::stores::{HasStores, Refusal, View};
use bindings::spin::postgres::postgres;
use cumulet_provider::postgres::{Connection, PostgresError, QueryError};
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::{Linker, LinkerInstance, Resource};

#[expect(clippy::error_impl_error, reason = "the name is the interface's own")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/postgres",
        world: "imports",
        imports: {
            "spin:postgres/postgres.[drop]connection": trappable,
            default: async | trappable,
        },
        with: { "spin:postgres/postgres.connection": super::ConnectionHandle },
    });
}

/// An open connection of a guest.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct ConnectionHandle(Arc<dyn Connection>);

/// Offers the interface.
pub(crate) fn add_to_linker<T: Send + 'static>(linker: &mut Linker<T>, view: fn(&mut T) -> View<'_>) -> Result<()> {
    postgres::add_to_linker::<T, HasStores>(linker, view)
}

/// Offers it under any name.
pub(crate) fn add_to_instance<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> View<'_>,
) -> Result<()> {
    postgres::add_to_linker_instance::<T, HasStores>(instance, view)
}

fn told(error: PostgresError) -> postgres::Error {
    match error {
        PostgresError::Connection(cause) => {
            tracing::warn!(%cause, "a PostgreSQL server cannot be reached");
            // Where it is, and why, is for the operator.
            postgres::Error::ConnectionFailed("the database cannot be reached".to_owned())
        }
        PostgresError::Parameter(text) => postgres::Error::BadParameter(text),
        PostgresError::Query(error) => postgres::Error::QueryFailed(query_error(*error)),
        PostgresError::Conversion(text) => postgres::Error::ValueConversionFailed(text),
        PostgresError::Busy => postgres::Error::ConnectionFailed(PostgresError::Busy.to_string()),
        of_the_statement @ (PostgresError::TooLarge | PostgresError::TooLong(_)) => {
            postgres::Error::QueryFailed(postgres::QueryError::Text(of_the_statement.to_string()))
        }
        PostgresError::Other(text) => postgres::Error::Other(text),
    }
}

fn query_error(error: QueryError) -> postgres::QueryError {
    postgres::QueryError::DbError(postgres::DbError {
        as_text: error.as_text,
        severity: error.severity,
        code: error.code,
        message: error.message,
        detail: error.detail,
        extras: error.extras,
    })
}

impl postgres::Host for View<'_> {}

impl postgres::HostConnection for View<'_> {
    /// The address is a granted name, as in `postgres = ["main"]`: where that leads, and as whom, is the operator's.
    async fn open(&mut self, address: String) -> Result<Result<Resource<ConnectionHandle>, postgres::Error>> {
        let server = match self.stores.server(&address).await {
            Ok(server) => server,
            Err(Refusal::Denied) => return Ok(Err(postgres::Error::ConnectionFailed("access denied".to_owned()))),
            Err(Refusal::Closed(error)) => {
                tracing::warn!(database = address, error = error.chain(), "a PostgreSQL database cannot be opened");
                return Ok(Err(postgres::Error::ConnectionFailed("the database cannot be opened".to_owned())));
            }
        };
        match server.connect().await {
            Ok(connection) => Ok(Ok(self.table.push(ConnectionHandle(connection))?)),
            Err(error) => Ok(Err(told(error))),
        }
    }

    async fn query(
        &mut self,
        connection: Resource<ConnectionHandle>,
        statement: String,
        parameters: Vec<postgres::ParameterValue>,
    ) -> Result<Result<postgres::RowSet, postgres::Error>> {
        let connection = Arc::clone(&self.table.get(&connection)?.0);
        let parameters = parameters.into_iter().map(value::read).collect();
        Ok(connection.query(statement, parameters).await.map(value::row_set).map_err(told))
    }

    async fn execute(
        &mut self,
        connection: Resource<ConnectionHandle>,
        statement: String,
        parameters: Vec<postgres::ParameterValue>,
    ) -> Result<Result<u64, postgres::Error>> {
        let connection = Arc::clone(&self.table.get(&connection)?.0);
        let parameters = parameters.into_iter().map(value::read).collect();
        Ok(connection.execute(statement, parameters).await.map_err(told))
    }

    fn drop(&mut self, connection: Resource<ConnectionHandle>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}
