//! A connection to the server: how it is made, how it is cleaned.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client, Config};

use super::tls::Tls;
use super::{PostgresError, failure};

/// How long cleaning a connection, or asking the server to cancel a statement, may take.
const TIDY_TIME: Duration = Duration::from_secs(5);

/// One connection, used by one invocation at a time.
pub(super) struct Session {
    pub(super) client: Client,
    /// Moves the bytes; it ends with the client.
    driver: JoinHandle<()>,
    tls: Tls,
    /// Whether the connection is closed when its invocation ends.
    pub(super) is_spent: bool,
    /// Whether the client has prepared statements of its own to ask about types, which cleaning would take from it.
    pub(super) has_asked_for_types: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("is_spent", &self.is_spent).finish_non_exhaustive()
    }
}

impl Session {
    /// Connects within the time that the configuration gives.
    pub(super) async fn open(config: &Config, tls: Tls, time: Duration) -> Result<Self, PostgresError> {
        let connecting = tokio::time::timeout(time, config.connect(tls.clone())).await;
        let Ok(connected) = connecting else {
            let seconds = time.as_secs_f64();
            return Err(PostgresError::Connection(format!("no answer within {seconds} s")));
        };
        let (client, connection) = connected.map_err(|error| failure::of_connection(&error))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection to a PostgreSQL server ended");
            }
        });
        Ok(Self { client, driver, tls, is_spent: false, has_asked_for_types: false })
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.is_spent && !self.client.is_closed()
    }

    /// Rolls back what is open and forgets everything that the next invocation could see. `None` if that cannot be
    /// done: then the connection is closed, which does the same.
    pub(super) async fn into_clean(self) -> Option<Self> {
        if !self.is_usable() || self.has_asked_for_types {
            return None;
        }
        // `DISCARD ALL` cannot run within a transaction, and two statements in one message would be one.
        let cleaned = tokio::time::timeout(TIDY_TIME, async {
            self.client.batch_execute("ROLLBACK").await?;
            self.client.batch_execute("DISCARD ALL").await
        });
        let is_clean = matches!(cleaned.await, Ok(Ok(())));
        (is_clean && self.is_usable()).then_some(self)
    }

    /// What stops the statement that runs, from another connection.
    pub(super) fn canceller(&self) -> Canceller {
        Canceller { token: self.client.cancel_token(), tls: self.tls.clone() }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Asks the server to cancel what runs on one connection.
pub(super) struct Canceller {
    token: CancelToken,
    tls: Tls,
}

impl Canceller {
    pub(super) async fn cancel(self) {
        let asked = tokio::time::timeout(TIDY_TIME, self.token.cancel_query(self.tls)).await;
        if !matches!(asked, Ok(Ok(()))) {
            tracing::debug!("a PostgreSQL server could not be asked to cancel a statement");
        }
    }
}
