//! Buckets on a Redis server that the operator runs, or on one that speaks its protocol.
//!
//! A key is the plain Redis string `PREFIX:KEY`, so that other programs read and write the same values. A write is as
//! durable as the server's own settings make it (`appendfsync`, replicas). One server, or what stands for it; not a
//! cluster, where the keys of one batch may lie on several.

mod bucket;
mod failure;
mod listing;
mod script;

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, IntoConnectionInfo as _, ProtocolVersion};

use self::bucket::RedisBucket;
use self::script::Scripts;
use super::{Bucket, OpenError, OpenErrorKind, bounds, tls};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Commands that wait for their answers at the same time; further ones wait for their turn.
const IN_FLIGHT_MAX: usize = 1_024;
/// Commands on their way to the connection.
const PIPELINE_MAX: usize = 256;
/// What the error of a wrong URL shows.
const URL_EXAMPLE: &str = "redis://USER:PASSWORD@HOST:6379/0, or rediss:// for TLS";

/// A connection to a server, shared by all buckets there.
///
/// When it breaks, what is under way ends with [`BucketError::Unavailable`](super::BucketError::Unavailable), and a new
/// one is made.
#[derive(Debug)]
pub struct Server {
    connection: ConnectionManager,
    scripts: Arc<Scripts>,
}

impl Server {
    /// Connects to a server: Redis 6 or later, because older ones do not tell a connection that is gone.
    ///
    /// # Errors
    /// When the URL is wrong, nobody answers in time, or the server refuses us. No error shows the credentials.
    pub async fn connect(url: &str) -> Result<Arc<Self>, OpenError> {
        tls::choose_cryptography();
        let connection = connect(url).await.map_err(|kind| OpenError::url(url, kind))?;
        Ok(Arc::new(Self { connection, scripts: Arc::new(Scripts::new()) }))
    }

    /// The bucket of all keys that begin with `PREFIX:`. The buckets of one server are apart as long as none has a
    /// prefix that begins with another's and a colon; whoever gives out the prefixes sees to that.
    #[must_use]
    pub fn bucket(&self, prefix: &str) -> Arc<dyn Bucket> {
        bounds::bounded(RedisBucket::new(self.connection.clone(), Arc::clone(&self.scripts), prefix))
    }
}

async fn connect(url: &str) -> Result<ConnectionManager, OpenErrorKind> {
    let info = url.into_connection_info().map_err(|_| OpenErrorKind::Url { expected: URL_EXAMPLE })?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let client = Client::open(info.set_redis_settings(settings)).map_err(|error| failure::open(&error))?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT))
        // Whoever waits is told at once that nobody answers. The next command tries again.
        .set_number_of_retries(0)
        .set_concurrency_limit(IN_FLIGHT_MAX)
        .set_pipeline_buffer_size(PIPELINE_MAX);
    let mut connection =
        ConnectionManager::new_with_config(client, config).await.map_err(|error| failure::open(&error))?;
    ::redis::cmd("PING").exec_async(&mut connection).await.map_err(|error| failure::open(&error))?;
    Ok(connection)
}
