//! The bounds of a gateway: sizes, times and counts, each with its default.

use std::time::Duration;

/// The largest request head (request line and headers) that is read by default, in bytes.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// The most header fields that a request may carry. Fixed: it is the count that hyper keeps on its stack, and any
/// other makes it allocate for every request.
pub const HEADER_COUNT_MAX: usize = 100;
/// The longest request target that is taken by default, in bytes.
pub const URI_BYTES_MAX: usize = 8 * 1024;
/// The largest request body that is taken by default, in bytes.
pub const BODY_BYTES_MAX: u64 = 100 * 1024 * 1024;
/// How many connections are open at once by default; beyond it they wait in the listener's backlog.
pub const CONNECTIONS_MAX: usize = 16 * 1024;
/// How many requests one HTTP/2 connection may have in flight by default.
pub const STREAMS_MAX: u32 = 256;
/// How many connections the kernel keeps waiting until they are accepted.
pub const BACKLOG: u32 = 4096;

/// The bounds of one [`Gateway`](crate::Gateway).
///
/// Times are kept by a sweep over all connections, not by a timer for each request: a connection ends up to three
/// sweeps after its bound and never before it. Sweeps are a quarter of the shortest bound apart, at most a second.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Bytes of a request's head; more gets 431. At least 8 KiB is used.
    pub header_bytes_max: usize,
    /// Bytes of a request's target; more gets 414.
    pub uri_bytes_max: usize,
    /// Bytes of a request's body, declared or streamed; more gets 413.
    pub body_bytes_max: u64,
    /// Open connections.
    pub connections_max: usize,
    /// Requests in flight on one HTTP/2 connection.
    pub streams_max: u32,
    /// From a connection's start, or the first byte of a later head, to the end of that head.
    pub header_read_timeout: Duration,
    /// How long a connection without a request in flight stays open.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of what waits to be written to it.
    pub stall_timeout: Duration,
    /// From the shutdown to the cut of what still runs.
    pub drain_timeout: Duration,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            header_bytes_max: HEADER_BYTES_MAX,
            uri_bytes_max: URI_BYTES_MAX,
            body_bytes_max: BODY_BYTES_MAX,
            connections_max: CONNECTIONS_MAX,
            streams_max: STREAMS_MAX,
            header_read_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
