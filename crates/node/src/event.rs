//! What happened, for the operator: one canonical event for each invocation, and what guests print.
//!
//! The path of a request pushes a value into a bounded queue and goes on; a thread of its own turns values into lines
//! and writes them in batches, and gives them to the logs of their apps where those are kept. An app that sends more than
//! can be written loses what is beyond its share of the queue, which is counted; others lose nothing.

mod journal;
mod line;
mod partial;
mod share;
#[cfg(test)]
mod tests;
mod writer;

use crate::clock::Moment;
use crate::target::Target;
use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use cumulet_capability::{Channel, OutputSink};
use cumulet_spec::id::{AppId, ComponentName, Digest, RequestId};
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::Usage;
use http::uri::PathAndQuery;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) use journal::Journal;
pub(crate) use writer::EventWriter;

use share::{OUTPUT_PART, Room, Share, Shares};

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
    pub(crate) place: Arc<Place>,
    pub(crate) channel: Channel,
    pub(crate) bytes: Bytes,
}

/// Where events come from: a component of an app's revision.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) app: AppId,
    pub(crate) component: ComponentName,
    pub(crate) digest: Digest,
    /// The first digits of the revision.
    pub(crate) revision: Box<str>,
    /// What the app has in the queue.
    share: Arc<Share>,
}

impl Event {
    fn share(&self) -> &Share {
        match self {
            Event::Invoked(invoked) => &invoked.target.place.share,
            Event::Printed(printed) => &printed.place.share,
        }
    }
}

/// Events on their way to the writer.
#[derive(Debug)]
pub(crate) struct EventQueue {
    events: ArrayQueue<Event>,
    shares: Shares,
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
            shares: Shares::default(),
            output_bytes: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            is_writer_asleep: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        })
    }

    /// What the events of a component carry.
    pub(crate) fn place(&self, app: AppId, component: ComponentName, revision: Digest) -> Arc<Place> {
        let share = self.shares.of(&app);
        Arc::new(Place { app, component, digest: revision, revision: revision.short().into(), share })
    }

    /// Takes an event, or drops it when the writer is too far behind for this app.
    pub(crate) fn push(&self, event: Event) {
        let part = if matches!(event, Event::Printed(_)) { OUTPUT_PART } else { 1 };
        let room = Room { max: QUEUE_LENGTH_MAX as u64, used: self.events.len() as u64, part };
        let refused = if event.share().take_event(room) {
            self.events.push(event).err().inspect(|event| event.share().give_event())
        } else {
            Some(event)
        };
        if let Some(event) = refused {
            self.drop_one(event.share());
            self.leave(&event);
        }
        if self.is_writer_asleep.load(Ordering::SeqCst) {
            self.wake_writer();
        }
    }

    fn push_output(&self, printed: Printed) {
        let bytes = printed.bytes.len() as u64;
        let used = self.output_bytes.fetch_add(bytes, Ordering::Relaxed);
        if printed.place.share.take_bytes(bytes, Room { max: OUTPUT_BYTES_MAX, used, part: OUTPUT_PART }) {
            self.push(Event::Printed(printed));
        } else {
            self.output_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.drop_one(&printed.place.share);
        }
    }

    fn pop(&self) -> Option<Event> {
        let event = self.events.pop()?;
        event.share().give_event();
        self.leave(&event);
        Some(event)
    }

    /// The bytes of an event are not in the queue any more.
    fn leave(&self, event: &Event) {
        if let Event::Printed(printed) = event {
            let bytes = printed.bytes.len() as u64;
            printed.place.share.give_bytes(bytes);
            self.output_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn drop_one(&self, share: &Share) {
        share.drop_one();
        self.dropped.fetch_add(1, Ordering::Relaxed);
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
    place: Arc<Place>,
    events: Arc<EventQueue>,
}

impl ComponentOutput {
    pub(crate) fn new(place: Arc<Place>, events: Arc<EventQueue>) -> Self {
        Self { place, events }
    }
}

impl OutputSink for ComponentOutput {
    fn write(&self, request: &RequestId, channel: Channel, bytes: Bytes) {
        let place = Arc::clone(&self.place);
        self.events.push_output(Printed { id: *request, place, channel, bytes });
    }

    fn dropped(&self, _bytes: u64) {
        self.events.drop_one(&self.place.share);
    }
}
