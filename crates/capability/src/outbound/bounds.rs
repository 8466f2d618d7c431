//! How much one component may have under way, open and in flight, and for how long.

use std::time::Duration;
use wasmtime_wasi_http::RequestOptions;

/// Requests that one invocation may make.
pub(super) const REQUESTS_PER_INVOCATION_MAX: u32 = 1_000;
/// Requests of one component that may be under way at once.
const REQUESTS_MAX: usize = 256;
/// Connections of one component that may be open at once, idle ones among them: twice as many as requests, so that a
/// request finds room however many lie idle.
const CONNECTIONS_MAX: usize = 2 * REQUESTS_MAX;
/// Bytes of one body, in either direction. Streams are long by right: this only ends what would never end.
const BODY_BYTES_MAX: u64 = 1 << 30;
/// The longest that a name is looked up.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(5);
/// The longest that a connection takes to come about: lookup, TCP and TLS together.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// The longest wait for the head of a response, from the moment that the guest sends.
const FIRST_BYTE_TIME_MAX: Duration = Duration::from_secs(60);
/// The longest wait for the next part of a response's body.
const BETWEEN_BYTES_TIME_MAX: Duration = Duration::from_secs(60);

/// Connections to one origin that are kept open while idle.
pub(super) const IDLE_CONNECTIONS_MAX: usize = 32;
/// How long an idle connection is kept.
pub(super) const IDLE_TIME: Duration = Duration::from_secs(60);
/// Bytes of the head of a response; more than a guest may put into a head of its own would be of no use to it.
pub(super) const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Fields in the head of a response.
pub(super) const HEAD_FIELDS_MAX: usize = 128;
/// Bytes that the host holds of one HTTP/2 stream in either direction while the other side does not read.
pub(super) const STREAM_BYTES_MAX: u32 = 256 << 10;
/// Bytes that the host holds of all streams of one HTTP/2 connection while the guest does not read.
pub(super) const CONNECTION_BYTES_MAX: u32 = 1 << 20;

/// The bounds of one component; all are constants, and here so that tests can lower them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) requests: usize,
    pub(super) connections: usize,
    pub(super) body_bytes: u64,
    pub(super) lookup: Duration,
    pub(super) connect: Duration,
    pub(super) first_byte: Duration,
    pub(super) between_bytes: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            requests: REQUESTS_MAX,
            connections: CONNECTIONS_MAX,
            body_bytes: BODY_BYTES_MAX,
            lookup: LOOKUP_TIME_MAX,
            connect: CONNECT_TIME_MAX,
            first_byte: FIRST_BYTE_TIME_MAX,
            between_bytes: BETWEEN_BYTES_TIME_MAX,
        }
    }
}

impl Bounds {
    /// These bounds with the times that a guest asks for, where they are shorter.
    pub(super) fn with(self, options: RequestOptions) -> Self {
        let shorter = |asked: Option<Duration>, max: Duration| asked.map_or(max, |asked| asked.min(max));
        Self {
            connect: shorter(options.connect_timeout, self.connect),
            first_byte: shorter(options.first_byte_timeout, self.first_byte),
            between_bytes: shorter(options.between_bytes_timeout, self.between_bytes),
            ..self
        }
    }
}
