//! Where a guest's response meets those who wait for it.

use crate::outbound::Inside;
use bytes::Bytes;
use cumulet_engine::{Ending, Gauge};
use cumulet_spec::usage::HostCalls;
use futures_util::task::AtomicWaker;
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

/// A request's body, on its way from a client to a guest.
pub trait ClientBody: Body<Data = Bytes, Error: Into<wasmtime_wasi_http::Error>> + Send + 'static {}

impl<B> ClientBody for B where B: Body<Data = Bytes, Error: Into<wasmtime_wasi_http::Error>> + Send + 'static {}

/// A response body that a guest writes.
pub type GuestBody = UnsyncBoxBody<Bytes, wasmtime_wasi_http::Error>;

/// What a guest hands to its host as the response.
pub type GuestResponse = http::Response<GuestBody>;

/// Why a host ended a guest, or how a guest ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestEnd {
    /// It returned.
    Finished,
    /// It did not return.
    Failed(Ending),
    /// It was ended because its time was up.
    Deadline,
    /// It was ended because nobody was left to read its answer.
    ClientGone,
    /// It was ended by a fault of the host.
    HostFault,
    /// Its instance was ended because of another invocation: why.
    Lost(String),
}

/// What has become of the response.
enum Reply {
    /// The guest has not answered.
    Awaited,
    /// It answered; nobody has taken it yet. An error is the guest's own, for the operator.
    Ready(Result<GuestResponse, String>),
    /// Somebody took it.
    Taken,
    /// The guest ended without an answer.
    Missing,
}

/// One invocation's meeting point: its gauge, its response, and the waker of whoever waits for the response.
///
/// A guest writes once; the node reads once. Nothing here blocks for longer than a move of the response.
pub struct Exchange {
    gauge: Arc<Gauge>,
    inside: Option<Arc<dyn Inside>>,
    reply: Mutex<Reply>,
    end: OnceLock<GuestEnd>,
    waiting: AtomicWaker,
    output_bytes: AtomicU64,
    /// There is no request yet: see [`crate::ahead`].
    is_ahead: bool,
    asked_the_time: AtomicBool,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("gauge", &self.gauge).finish_non_exhaustive()
    }
}

impl Exchange {
    /// An exchange whose guest has not answered.
    #[must_use]
    pub fn new(gauge: Gauge) -> Self {
        Self::within(gauge, None)
    }

    /// The same for a guest that may call other components of its app: `inside` answers.
    #[must_use]
    pub fn within(gauge: Gauge, inside: Option<Arc<dyn Inside>>) -> Self {
        Self {
            gauge: Arc::new(gauge),
            inside,
            reply: Mutex::new(Reply::Awaited),
            end: OnceLock::new(),
            waiting: AtomicWaker::new(),
            output_bytes: AtomicU64::new(0),
            is_ahead: false,
            asked_the_time: AtomicBool::new(false),
        }
    }

    /// For an instance that is made before its request comes.
    pub(crate) fn ahead(gauge: Gauge) -> Self {
        Self { is_ahead: true, ..Self::new(gauge) }
    }

    /// Whether there is no request yet.
    pub(crate) fn is_ahead(&self) -> bool {
        self.is_ahead
    }

    /// The guest asked what time it is.
    pub(crate) fn asked_the_time(&self) {
        self.asked_the_time.store(true, Ordering::Relaxed);
    }

    /// Whether what the guest has done so far could have come out otherwise a moment later, or was seen by anybody.
    pub(crate) fn has_reached_out(&self) -> bool {
        self.asked_the_time.load(Ordering::Relaxed)
            || self.output_bytes.load(Ordering::Relaxed) > 0
            || self.gauge.host_calls() != HostCalls::default()
    }

    pub(crate) fn inside(&self) -> Option<&Arc<dyn Inside>> {
        self.inside.as_ref()
    }

    /// What the invocation has used.
    #[must_use]
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// The guest answers. Only the first answer counts.
    pub(crate) fn answer(&self, response: Result<GuestResponse, String>) {
        {
            let mut reply = self.reply.lock();
            if !matches!(*reply, Reply::Awaited) {
                return;
            }
            *reply = Reply::Ready(response);
        }
        self.waiting.wake();
    }

    /// How the guest ended, if it has.
    #[must_use]
    pub fn end(&self) -> Option<&GuestEnd> {
        self.end.get()
    }

    /// The guest ended: whoever still waits for an answer learns that none comes. Only the first end counts.
    ///
    /// Called before anything of the guest is dropped, so that whoever sees its body stop can tell a body that is
    /// complete from one that was cut short.
    pub fn close(&self, end: GuestEnd) {
        // A second end is the consequence of the first.
        let _already_ended = self.end.set(end);
        {
            let mut reply = self.reply.lock();
            if matches!(*reply, Reply::Awaited) {
                *reply = Reply::Missing;
            }
        }
        self.waiting.wake();
    }

    /// Whether the guest has answered, taken or not.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(*self.reply.lock(), Reply::Ready(_) | Reply::Taken)
    }

    /// Takes the response if the guest has answered.
    #[must_use]
    pub fn take(&self) -> Option<Result<GuestResponse, String>> {
        let mut reply = self.reply.lock();
        match std::mem::replace(&mut *reply, Reply::Taken) {
            Reply::Ready(response) => Some(response),
            other => {
                *reply = other;
                None
            }
        }
    }

    /// Waits for the response: `None` when the guest ended without one.
    pub fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<Result<GuestResponse, String>>> {
        self.waiting.register(context.waker());
        if let Some(response) = self.take() {
            return Poll::Ready(Some(response));
        }
        match *self.reply.lock() {
            Reply::Awaited => Poll::Pending,
            Reply::Missing | Reply::Taken => Poll::Ready(None),
            // Answered between the two looks: the waker that was registered before them has been called.
            Reply::Ready(_) => {
                Waker::wake_by_ref(context.waker());
                Poll::Pending
            }
        }
    }

    /// Counts bytes of captured output and returns how many of `more` fit under `max`.
    pub(crate) fn take_output_allowance(&self, more: u64, max: u64) -> u64 {
        let before = self.output_bytes.fetch_add(more, Ordering::Relaxed);
        max.saturating_sub(before).min(more)
    }
}
