//! One server, and the connections to it that wait to be used again.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Config;

use super::lease::Lease;
use super::session::Session;
use super::tls::Tls;
use super::{Connection, PostgresError};

/// Connections to one server at a time; who comes later waits.
const CONNECTIONS_MAX: usize = 16;
/// How much longer than the server we wait for a statement, before we cancel it.
const GRACE: Duration = Duration::from_secs(1);
/// How long the server keeps a transaction open in which nothing happens.
const IDLE_TRANSACTION_TIME: Duration = Duration::from_secs(60);

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement may run.
    pub statement_time: Duration,
    /// How long making a connection, or waiting for one, may take.
    pub connect_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { statement_time: Duration::from_secs(5), connect_time: Duration::from_secs(5) }
    }
}

/// A server, by its address. Nothing is connected before [`Server::connect`].
pub struct Server {
    config: Config,
    tls: Tls,
    limits: Limits,
    idle: Mutex<Vec<Session>>,
    connections: Arc<Semaphore>,
}

/// A connection that an invocation holds, with its place among [`CONNECTIONS_MAX`].
#[derive(Debug)]
pub(super) struct Held {
    pub(super) session: Session,
    place: OwnedSemaphorePermit,
}

/// Why an address cannot be used. It says no part of the address, which may hold a password.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It is no PostgreSQL URL, or has an option that is not known.
    #[error("the address is no PostgreSQL URL, or has an option that is not known")]
    Address,
    /// The authorities that this machine trusts cannot be read.
    #[error("certificates cannot be checked")]
    Tls(#[source] rustls::Error),
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}

impl Server {
    /// Reads an address such as `postgres://user:password@host/database?sslmode=require`.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn new(url: &str) -> Result<Arc<Self>, OpenError> {
        Self::with(url, Limits::default())
    }

    /// Like [`Server::new`], with other limits.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn with(url: &str, limits: Limits) -> Result<Arc<Self>, OpenError> {
        // The parser's own words are left out: they can hold a part of a password.
        let mut config: Config = url.parse().map_err(|_| OpenError::Address)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(OpenError::Address);
        }
        // Given when the connection begins, these are what a `RESET` by a guest returns to.
        let given = config.get_options().unwrap_or_default();
        let options = format!(
            "{given} -c statement_timeout={} -c idle_in_transaction_session_timeout={}",
            limits.statement_time.as_millis(),
            IDLE_TRANSACTION_TIME.as_millis()
        );
        config.options(options.trim()).connect_timeout(limits.connect_time);
        if config.get_application_name().is_none() {
            config.application_name("cumulet");
        }
        let tls = Tls::new().map_err(OpenError::Tls)?;
        let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Ok(Arc::new(Self { config, tls, limits, idle: Mutex::default(), connections }))
    }

    /// A connection for one invocation.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses us, or all connections stay in use.
    pub async fn connect(self: &Arc<Self>) -> Result<Arc<dyn Connection>, PostgresError> {
        let waiting = tokio::time::timeout(self.limits.connect_time, Arc::clone(&self.connections).acquire_owned());
        let Ok(Ok(place)) = waiting.await else {
            return Err(PostgresError::Busy);
        };
        let session = match self.take_idle() {
            Some(session) => session,
            None => Session::open(&self.config, self.tls.clone(), self.limits.connect_time).await?,
        };
        Ok(Arc::new(Lease::new(Arc::clone(self), Held { session, place })))
    }

    /// How long we wait for a statement.
    pub(super) fn patience(&self) -> Duration {
        self.limits.statement_time + GRACE
    }

    /// Takes a connection back, and cleans it while nobody waits.
    pub(super) fn take_back(self: Arc<Self>, held: Held) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        drop(runtime.spawn(async move {
            let Held { session, place } = held;
            if let Some(session) = session.into_clean().await {
                self.idle.lock().push(session);
            }
            drop(place);
        }));
    }

    /// The newest that still lives; as many wait at most as there are places.
    fn take_idle(&self) -> Option<Session> {
        let mut idle = self.idle.lock();
        while let Some(session) = idle.pop() {
            if session.is_usable() {
                return Some(session);
            }
        }
        None
    }
}
