//! What happened, for the operator: one canonical event for each invocation, and what guests print.
//!
//! The path of a request pushes a value into a bounded queue and goes on; a thread of its own turns values into lines
//! and writes them in batches. When the queue is full, what does not fit is dropped and counted.

mod line;
mod partial;
mod writer;

use crate::clock::Moment;
use crate::target::Target;
use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use cumulet_capability::{Channel, OutputSink};
use cumulet_spec::id::{AppId, ComponentName, RequestId};
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::Usage;
use http::uri::PathAndQuery;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) use writer::EventWriter;

/// Events that wait to be written.
const QUEUE_LENGTH_MAX: usize = 16_384;
/// Bytes of guest output that wait to be written.
const OUTPUT_BYTES_MAX: u64 = 16 << 20;

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFormat {
    /// A line for people.
    Plain,
    /// A JSON object on a line.
    Json,
    /// A line for people for each invocation that did not end well, and nothing else.
    Failures,
}

/// Something that the operator sees.
#[derive(Debug)]
pub(crate) enum Event {
    /// An invocation ended.
    Invoked(Box<Invoked>),
    /// A guest printed something.
    Printed(Printed),
}

/// An invocation that ended.
#[derive(Debug)]
pub(crate) struct Invoked {
    pub(crate) id: RequestId,
    pub(crate) target: Arc<Target>,
    pub(crate) method: http::Method,
    pub(crate) path: Option<PathAndQuery>,
    pub(crate) started: Moment,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) usage: Usage,
    pub(crate) detail: Option<Box<str>>,
}

/// Something that a guest printed.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) id: RequestId,
    pub(crate) place: Arc<(AppId, ComponentName)>,
    pub(crate) channel: Channel,
    pub(crate) bytes: Bytes,
}

/// Events on their way to the writer.
#[derive(Debug)]
pub(crate) struct EventQueue {
    events: ArrayQueue<Event>,
    output_bytes: AtomicU64,
    dropped: AtomicU64,
    is_writer_asleep: AtomicBool,
    is_closed: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
}

impl EventQueue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            events: ArrayQueue::new(QUEUE_LENGTH_MAX),
            output_bytes: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            is_writer_asleep: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        })
    }

    /// Takes an event, or drops it when the writer is too far behind.
    pub(crate) fn push(&self, event: Event) {
        if self.events.push(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        if self.is_writer_asleep.load(Ordering::SeqCst) {
            self.wake_writer();
        }
    }

    fn push_output(&self, printed: Printed) {
        let length = printed.bytes.len() as u64;
        if self.output_bytes.fetch_add(length, Ordering::Relaxed) > OUTPUT_BYTES_MAX {
            self.output_bytes.fetch_sub(length, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.push(Event::Printed(printed));
    }

    /// Events that were dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn wake_writer(&self) {
        let _guard = self.lock.lock();
        self.wake.notify_one();
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.wake_writer();
    }
}

/// What one component prints.
#[derive(Debug)]
pub(crate) struct ComponentOutput {
    place: Arc<(AppId, ComponentName)>,
    events: Arc<EventQueue>,
}

impl ComponentOutput {
    pub(crate) fn new(app: AppId, component: ComponentName, events: Arc<EventQueue>) -> Self {
        Self { place: Arc::new((app, component)), events }
    }
}

impl OutputSink for ComponentOutput {
    fn write(&self, request: &RequestId, channel: Channel, bytes: Bytes) {
        let place = Arc::clone(&self.place);
        self.events.push_output(Printed { id: *request, place, channel, bytes });
    }

    fn dropped(&self, _bytes: u64) {
        self.events.dropped.fetch_add(1, Ordering::Relaxed);
    }
}
