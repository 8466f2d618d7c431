//! One invocation's connection.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::database::{Database, Held};
use super::failure::Failure;
use super::session::Call;
use super::watch::Stop;
use super::{Connection, Rows, STATEMENT_BYTES_MAX, StatementError, Value};

/// The first pause before a blocked statement is tried again; each is twice the one before it.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// A connection from its first statement until its invocation ends. Its statements run one after another.
#[derive(Debug)]
pub(super) struct Lease {
    slot: Arc<Mutex<Slot>>,
}

/// What the lease holds. A statement whose future was dropped keeps it until it has stopped.
#[derive(Debug)]
struct Slot {
    database: Arc<Database>,
    held: Option<Held>,
}

impl Lease {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Self { slot: Arc::new(Mutex::new(Slot { database, held: None })) }
    }
}

#[async_trait]
impl Connection for Lease {
    async fn execute(&self, statement: String, parameters: Vec<Value>) -> Result<Rows, StatementError> {
        if statement.len() > STATEMENT_BYTES_MAX {
            return Err(StatementError::Statement(format!("a statement has at most {STATEMENT_BYTES_MAX} bytes")));
        }
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        let call = Arc::new(Call { statement, parameters });
        let mut pauses = Pauses::within(slot.database.limits().busy_time);
        loop {
            let (returned, result) = attempt(slot, Arc::clone(&call)).await?;
            slot = returned;
            match (result, pauses.next()) {
                (Ok(rows), _) => return Ok(rows),
                (Err(Failure { is_blocked: true, .. }), Some(pause)) => tokio::time::sleep(pause).await,
                (Err(failure), _) => return Err(failure.error),
            }
        }
    }

    async fn last_insert_rowid(&self) -> i64 {
        self.slot.lock().await.held.as_ref().map_or(0, |held| held.session.last_insert_rowid())
    }

    async fn changes(&self) -> u64 {
        self.slot.lock().await.held.as_ref().map_or(0, |held| held.session.changes())
    }
}

/// Runs a statement once on a thread. Dropping the future stops it there.
async fn attempt(
    mut slot: OwnedMutexGuard<Slot>,
    call: Arc<Call>,
) -> Result<(OwnedMutexGuard<Slot>, Result<Rows, Failure>), StatementError> {
    let place = if slot.held.is_some() { None } else { Some(slot.database.place().await?) };
    let thread = slot.database.thread().await?;
    let stop = Stop::default();
    let _stop_on_drop = stop.on_drop();
    let work = tokio::task::spawn_blocking(move || {
        if let Some(place) = place {
            slot.held = Some(slot.database.hold(place)?);
        }
        let Some(held) = slot.held.take() else {
            return Err(StatementError::Backend("the connection is gone".to_owned()));
        };
        // A panic would close the connection here, and not leave a half-run one in the slot.
        let result = held.session.run(&call, stop);
        slot.held = Some(held);
        drop(thread);
        Ok((slot, result))
    });
    work.await.map_err(|error| StatementError::Backend(error.to_string()))?
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            Arc::clone(&self.database).take_back(held);
        }
    }
}

/// The pauses between attempts, until their sum passes a bound.
struct Pauses {
    left: Duration,
    next: Duration,
}

impl Pauses {
    fn within(bound: Duration) -> Self {
        Self { left: bound, next: PAUSE_MIN }
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.next;
        self.left = self.left.checked_sub(pause)?;
        self.next = (pause * 2).min(PAUSE_MAX);
        Some(pause)
    }
}
