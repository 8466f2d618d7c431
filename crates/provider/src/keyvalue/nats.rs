//! Buckets on a NATS server that the operator runs: JetStream's own key-value buckets.
//!
//! A bucket that is not there is made, with a history of 1, on files, on one server; whoever wants replicas makes it
//! beforehand. Keys are encoded as `nats/key.rs` says; other programs see plain ones as they are. A write is as durable as
//! JetStream makes it. A batch is many single operations: an error may leave some of them done.
//!
//! A deleted key leaves a marker, as everywhere in NATS, which takes about as much room as its name.

mod bucket;
mod credentials;
mod entry;
mod failure;
mod key;
mod listing;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use async_nats::{Client, ConnectOptions, ServerAddr};

use self::bucket::NatsBucket;
use super::{Bucket, OpenError, OpenErrorKind, bounds, tls};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to wait between attempts to connect again.
const RECONNECT_DELAY: Duration = Duration::from_millis(250);
/// Writes that wait for their acknowledgement at the same time; further ones wait for their turn.
const IN_FLIGHT_MAX: usize = 1_024;
/// The longest name of a bucket, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// What the error of a wrong URL shows.
const URL_EXAMPLE: &str = "nats://USER:PASSWORD@HOST:4222, or tls:// for TLS";

/// A connection to a server, or to one of several, shared by all buckets there.
#[derive(Debug)]
pub struct Server {
    client: Client,
    context: Context,
    /// Without credentials.
    place: String,
}

impl Server {
    /// Connects to a server: 2.9 or later, with JetStream. Several URLs stand between commas.
    ///
    /// # Errors
    /// When the URL is wrong, nobody answers in time, or the server refuses us. No error shows the credentials.
    pub async fn connect(url: &str) -> Result<Arc<Self>, OpenError> {
        tls::choose_cryptography();
        let client = connect(url).await.map_err(|kind| OpenError::url(url, kind))?;
        let context =
            ContextBuilder::new().timeout(ANSWER_TIMEOUT).max_ack_inflight(IN_FLIGHT_MAX).build(client.clone());
        Ok(Arc::new(Self { client, context, place: super::open_error::without_credentials(url) }))
    }

    /// The bucket of this name, made if it is missing.
    ///
    /// # Errors
    /// When the name is none that NATS takes, or the server has no JetStream or no room for it.
    pub async fn bucket(&self, bucket: &str) -> Result<Arc<dyn Bucket>, OpenError> {
        let store = self.open(bucket).await;
        let store = store.map_err(|kind| OpenError { place: format!("{} (bucket {bucket})", self.place), kind })?;
        Ok(bounds::bounded(NatsBucket::new(self.client.clone(), store)))
    }

    async fn open(&self, bucket: &str) -> Result<Store, OpenErrorKind> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !(1..=NAME_BYTES_MAX).contains(&bucket.len()) || !bucket.bytes().all(allowed) {
            return Err(OpenErrorKind::Name(bucket.to_owned()));
        }
        if let Ok(store) = self.context.get_key_value(bucket).await {
            return Ok(store);
        }
        // Whatever kept us from seeing it keeps us from making it, and is told then. Making it twice is no error.
        self.context.create_stream(stream_of(bucket)).await.map_err(|error| failure::create(&error))?;
        self.context.get_key_value(bucket).await.map_err(|error| failure::see(&error))
    }
}

/// The stream that a bucket is. The client's own way of making one asks for the account first, whose description by a
/// server before 2.10 it cannot read.
fn stream_of(bucket: &str) -> Config {
    Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        storage: StorageType::File,
        num_replicas: 1,
        // A bucket that is full refuses writes, instead of forgetting the oldest.
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Config::default()
    }
}

async fn connect(url: &str) -> Result<Client, OpenErrorKind> {
    let wrong = || OpenErrorKind::Url { expected: URL_EXAMPLE };
    let addresses: Vec<ServerAddr> = url.split(',').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
    let options = ConnectOptions::new()
        .name("cumulet")
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(ANSWER_TIMEOUT))
        .reconnect_delay_callback(|_| RECONNECT_DELAY)
        .event_callback(|event| async move { tracing::info!(%event, "the connection to NATS") });
    let connecting = credentials::apply(options, &addresses).connect(addresses);
    connecting.await.map_err(|error| failure::connect(&error))
}
