//! One connection: its shared state, which requests mark as they pass, and the future that serves it.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use cumulet_spec::id::RequestId;
use parking_lot::Mutex;
use pin_project_lite::pin_project;

use crate::config::GatewayConfig;

/// One request begun, in the upper half of [`Activity::requests`].
const BEGUN: u64 = 1 << 32;
/// The lower half: requests in flight.
const IN_FLIGHT: u64 = BEGUN - 1;

/// What a connection is doing, written by the connection alone and read by the sweep.
///
/// Nothing here is a time: the sweep counts how often it found a connection unchanged, so that no request reads a
/// clock or arms a timer.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Upper half: requests begun, wrapping. Lower half: requests in flight.
    requests: AtomicU64,
    /// Bytes came in that belong to no request yet. Stays false on HTTP/2.
    heard: AtomicBool,
    /// The last write found no room.
    blocked: AtomicBool,
    /// Bytes written, wrapping.
    written: AtomicU64,
    leaving: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// An [`Activity`] as one look found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Requests begun so far, wrapping.
    pub(crate) begun: u64,
    /// Requests in flight.
    pub(crate) in_flight: u64,
    /// Part of a head has come in.
    pub(crate) heard: bool,
    /// The client takes nothing of what waits to be written.
    pub(crate) blocked: bool,
    /// Bytes written, wrapping.
    pub(crate) written: u64,
}

impl Activity {
    /// Remembers the task that is to be woken by [`leave`](Self::leave). Called once, from that task's first poll.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        *self.waker.lock() = Some(cx.waker().clone());
    }

    /// Asks the connection to finish what is in flight and to end.
    pub(crate) fn leave(&self) {
        // Under the lock, so that a task which registers meanwhile either is woken or sees the flag.
        let waker = self.waker.lock();
        self.leaving.store(true, Ordering::Release);
        if let Some(waker) = waker.as_ref() {
            waker.wake_by_ref();
        }
    }

    /// Whether the connection was asked to end.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Marks that bytes came in.
    pub(crate) fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    /// Marks what became of a write: so many bytes, or no room.
    pub(crate) fn wrote(&self, bytes: Option<usize>) {
        if let Some(bytes) = bytes {
            // One writer: no read-modify-write is needed.
            let written = self.written.load(Ordering::Relaxed).wrapping_add(bytes as u64);
            self.written.store(written, Ordering::Relaxed);
        }
        self.blocked.store(bytes.is_none(), Ordering::Relaxed);
    }

    /// What the connection is doing now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let requests = self.requests.load(Ordering::Relaxed);
        Snapshot {
            begun: requests / BEGUN,
            in_flight: requests & IN_FLIGHT,
            heard: self.heard.load(Ordering::Relaxed),
            blocked: self.blocked.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
        }
    }

    /// Whether nothing was ever asked on this connection.
    fn is_untouched(&self) -> bool {
        let Snapshot { begun, in_flight, heard, .. } = self.snapshot();
        begun == 0 && in_flight == 0 && !heard
    }
}

/// One connection, shared by the requests on it.
///
/// The handler is cloned once for each connection: cloned for each request, its reference count would be a cache
/// line that all cores write.
pub(crate) struct Connection<H> {
    pub(crate) handler: H,
    pub(crate) config: Arc<GatewayConfig>,
    pub(crate) peer: SocketAddr,
    pub(crate) activity: Arc<Activity>,
    /// Where this connection's request ids start; random.
    pub(crate) id_base: u64,
}

impl<H> Connection<H> {
    /// Begins a request.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight<H> {
        let before = self.activity.requests.fetch_add(BEGUN + 1, Ordering::Relaxed);
        self.activity.heard.store(false, Ordering::Relaxed);
        InFlight { connection: Arc::clone(self), ordinal: before / BEGUN }
    }
}

/// A request in flight, until this is dropped.
#[must_use]
pub(crate) struct InFlight<H> {
    connection: Arc<Connection<H>>,
    ordinal: u64,
}

impl<H> InFlight<H> {
    /// The connection that the request is on.
    pub(crate) fn connection(&self) -> &Connection<H> {
        &self.connection
    }

    /// A new id: from the connection's random base on, so that neither a lock nor a generator is shared.
    pub(crate) fn new_id(&self) -> RequestId {
        RequestId::from_bits(self.connection.id_base.wrapping_add(self.ordinal))
    }
}

impl<H> Drop for InFlight<H> {
    fn drop(&mut self) {
        let activity = &self.connection.activity;
        activity.heard.store(false, Ordering::Relaxed);
        activity.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<H> fmt::Debug for InFlight<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").field("ordinal", &self.ordinal).finish_non_exhaustive()
    }
}

/// A protocol's connection that can be asked to end once nothing is in flight.
pub(crate) trait Graceful: Future {
    /// Takes no new request and ends after the last.
    fn finish(self: Pin<&mut Self>);
}

pin_project! {
    /// Serves a connection until it ends, or has ended after it was asked to.
    #[must_use]
    pub(crate) struct Serving<C> {
        #[pin]
        protocol: C,
        activity: Arc<Activity>,
        finishing: bool,
    }
}

impl<C> Serving<C> {
    pub(crate) fn new(protocol: C, activity: Arc<Activity>) -> Self {
        Self { protocol, activity, finishing: false }
    }
}

impl<C, E> Future for Serving<C>
where
    C: Graceful<Output = Result<(), E>>,
{
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let mut this = self.project();
        if !*this.finishing && this.activity.is_leaving() {
            *this.finishing = true;
            this.protocol.as_mut().finish();
        }
        let polled = this.protocol.poll(cx);
        // hyper keeps a connection on which nothing was asked yet open for its first request.
        if polled.is_pending() && *this.finishing && this.activity.is_untouched() {
            return Poll::Ready(Ok(()));
        }
        polled
    }
}
