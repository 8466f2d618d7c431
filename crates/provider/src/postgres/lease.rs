//! One invocation's connection.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use postgres_types::Type;
use tokio::sync::Mutex;
use tokio_postgres::{Row, RowStream, Statement};

use super::decode::Raw;
use super::server::{Held, Server};
use super::session::{Canceller, Session};
use super::{
    Column, Connection, PostgresError, RESULT_BYTES_MAX, ROWS_MAX, RowSet, STATEMENT_BYTES_MAX, VALUE_BYTES, Value,
    decode, encode, failure,
};

/// A connection until its invocation ends. Its statements run one after another.
#[derive(Debug)]
pub(super) struct Lease {
    slot: Mutex<Slot>,
}

#[derive(Debug)]
struct Slot {
    server: Arc<Server>,
    held: Option<Held>,
}

impl Lease {
    pub(super) fn new(server: Arc<Server>, held: Held) -> Self {
        Self { slot: Mutex::new(Slot { server, held: Some(held) }) }
    }

    /// Runs a statement within its time, and decides whether the connection can be used after it.
    async fn run(&self, statement: &str, parameters: &[Value]) -> Result<Answer, PostgresError> {
        if statement.len() > STATEMENT_BYTES_MAX {
            return Err(PostgresError::Other(format!("a statement has at most {STATEMENT_BYTES_MAX} bytes")));
        }
        let mut slot = self.slot.lock().await;
        let patience = slot.server.patience();
        let Some(held) = &mut slot.held else {
            return Err(PostgresError::Connection("the connection is closed".to_owned()));
        };
        let session = &mut held.session;
        if !session.is_usable() {
            return Err(PostgresError::Connection("the connection was closed after an earlier failure".to_owned()));
        }
        // Until the statement has ended by itself, nobody knows what state the connection is in.
        session.is_spent = true;
        let cancel_on_drop = CancelOnDrop(Some(session.canceller()));
        let Ok(result) = tokio::time::timeout(patience, answer(session, statement, parameters)).await else {
            return Err(PostgresError::TooLong(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX)));
        };
        let has_ended = matches!(
            result,
            Ok(_) | Err(PostgresError::Query(_) | PostgresError::Parameter(_) | PostgresError::Conversion(_))
        );
        if has_ended {
            cancel_on_drop.disarm();
            session.is_spent = false;
        }
        result
    }
}

#[async_trait]
impl Connection for Lease {
    async fn query(&self, statement: String, parameters: Vec<Value>) -> Result<RowSet, PostgresError> {
        self.run(&statement, &parameters).await.map(|answer| answer.rows)
    }

    async fn execute(&self, statement: String, parameters: Vec<Value>) -> Result<u64, PostgresError> {
        self.run(&statement, &parameters).await.map(|answer| answer.changed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            Arc::clone(&self.server).take_back(held);
        }
    }
}

/// Cancels the statement on the server unless it ended by itself.
struct CancelOnDrop(Option<Canceller>);

impl CancelOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let (Some(canceller), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            drop(runtime.spawn(canceller.cancel()));
        }
    }
}

/// What came of a statement.
#[derive(Default)]
struct Answer {
    rows: RowSet,
    changed: u64,
}

async fn answer(session: &mut Session, statement: &str, parameters: &[Value]) -> Result<Answer, PostgresError> {
    let failed = |error: tokio_postgres::Error| failure::of_statement(&error);
    let prepared = session.client.prepare(statement).await.map_err(failed)?;
    let mut types = prepared.params().iter().chain(prepared.columns().iter().map(tokio_postgres::Column::type_));
    session.has_asked_for_types |= types.any(|server| Type::from_oid(server.oid()).is_none());
    encode::check(parameters, prepared.params())?;
    let stream = session.client.query_raw(&prepared, parameters).await.map_err(failed)?;
    read(&prepared, stream).await
}

/// Reads to the end, which also tells how many rows were changed. A value that cannot be converted does not end the
/// reading: the connection stays in step with the server.
async fn read(prepared: &Statement, stream: RowStream) -> Result<Answer, PostgresError> {
    let mut stream = std::pin::pin!(stream);
    let mut answer = Answer::default();
    let column = |column: &tokio_postgres::Column| Column {
        name: column.name().to_owned(),
        data_type: decode::data_type(column.type_()),
    };
    answer.rows.columns = prepared.columns().iter().map(column).collect();
    let mut unconverted = None;
    let mut bytes = 0;
    while let Some(row) = stream.next().await {
        let row = row.map_err(|error| failure::of_statement(&error))?;
        bytes += row.raw_size_bytes() + row.len() * VALUE_BYTES;
        if answer.rows.rows.len() == ROWS_MAX || bytes > RESULT_BYTES_MAX {
            return Err(PostgresError::TooLarge);
        }
        match values(&row) {
            Ok(values) => answer.rows.rows.push(values),
            Err(error) => unconverted = Some(error),
        }
    }
    answer.changed = stream.rows_affected().unwrap_or(0);
    unconverted.map_or(Ok(answer), Err)
}

fn values(row: &Row) -> Result<Vec<Value>, PostgresError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let raw: Option<Raw<'_>> = row.try_get(index).map_err(|error| failure::of_statement(&error))?;
        values.push(match raw {
            None => Value::Null,
            Some(Raw(bytes)) => {
                decode::value(column.type_(), bytes).ok_or_else(|| unconvertible(column.name(), column.type_()))?
            }
        });
    }
    Ok(values)
}

fn unconvertible(column: &str, server: &Type) -> PostgresError {
    PostgresError::Conversion(format!("column {column:?} of the type {}", server.name()))
}
