//! The thread that writes events.

use super::journal::Journal;
use super::line::Lines;
use super::partial::Partial;
use super::{Event, EventFormat, EventQueue, Printed};
use crate::clock::{Calendar, Moment, now};
use crate::pulse::Pulse;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the writer lets events gather after it was woken.
const GATHER_TIME: Duration = Duration::from_millis(5);
/// Bytes that are written at once, at the most about this many.
const BATCH_BYTES: usize = 256 << 10;
/// After how long without an event it is told what was dropped.
const DROPPED_LOOK: Duration = Duration::from_millis(100);

/// Writes events until it is dropped; then writes what is left.
#[derive(Debug)]
pub(crate) struct EventWriter {
    queue: Arc<EventQueue>,
    thread: Option<JoinHandle<()>>,
}

impl EventWriter {
    /// Starts to write the events of `queue` to `to`, and to the logs of their apps where there is a journal; where there is
    /// a pulse, it hears of them.
    pub(crate) fn start(
        queue: Arc<EventQueue>,
        format: EventFormat,
        to: Box<dyn Write + Send>,
        journal: Option<Journal>,
        pulse: Option<Arc<Pulse>>,
    ) -> io::Result<Self> {
        let lines = Lines::new(format, Calendar::start());
        let batch = Vec::with_capacity(BATCH_BYTES);
        let desk = Desk { lines, partial: Partial::default(), journal, pulse, batch, to };
        let thread = std::thread::Builder::new().name("events".into()).spawn({
            let queue = Arc::clone(&queue);
            move || write(&queue, desk)
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the writer has been reported by its own thread.
            drop(thread.join());
        }
    }
}

/// What the writer works with.
struct Desk {
    lines: Lines,
    partial: Partial,
    journal: Option<Journal>,
    pulse: Option<Arc<Pulse>>,
    batch: Vec<u8>,
    to: Box<dyn Write + Send>,
}

impl Desk {
    fn add(&mut self, event: &Event, now: Moment) {
        match event {
            // Nobody is to see what guests print.
            Event::Printed(_) if self.journal.is_none() && !self.lines.shows_output() => {}
            Event::Printed(printed) => {
                let whole = self.partial.add(printed);
                self.printed(&whole, now);
            }
            Event::Invoked(invoked) => {
                let rest = self.partial.end(invoked.id);
                self.printed(&rest, now);
                self.lines.invoked(invoked, &mut self.batch);
                if let Some(journal) = &mut self.journal {
                    journal.invoked(invoked, now);
                }
                if let Some(pulse) = &self.pulse {
                    pulse.invoked(invoked);
                }
            }
        }
    }

    fn printed(&mut self, whole: &[Printed], now: Moment) {
        for printed in whole {
            self.lines.printed(printed, &mut self.batch);
            if let Some(journal) = &mut self.journal {
                journal.printed(printed, now);
            }
        }
    }

    /// Between two events: no batch grows too large, nothing waits too long.
    fn keep_pace(&mut self, now: Moment) {
        if let Some(journal) = &mut self.journal {
            journal.flush_in_time(now);
        }
        if self.batch.len() >= BATCH_BYTES {
            self.flush_batch();
        }
    }

    fn flush(&mut self, now: Moment) {
        // Logs first: who looks after the events finds them, and a terminal that is stopped keeps nobody waiting.
        if let Some(journal) = &mut self.journal {
            journal.flush(now);
        }
        self.flush_batch();
    }

    /// An operator's terminal or file that cannot be written to must not end the node.
    fn flush_batch(&mut self) {
        let Self { batch, to, .. } = self;
        if !batch.is_empty() && to.write_all(batch).and_then(|()| to.flush()).is_err() {
            tracing::debug!("events could not be written");
        }
        batch.clear();
    }

    /// Tells in their logs what was dropped of apps.
    fn tell_dropped(&mut self, queue: &EventQueue, now: Moment) {
        let Some(journal) = &mut self.journal else { return };
        for (app, pieces) in queue.shares.take_dropped() {
            journal.dropped(&app, pieces, now);
        }
    }
}

fn write(queue: &EventQueue, mut desk: Desk) {
    let mut dropped_told = 0;
    loop {
        let is_closed = queue.is_closed.load(Ordering::SeqCst);
        while let Some(event) = queue.pop() {
            let now = now();
            desk.add(&event, now);
            desk.keep_pace(now);
        }
        let now = now();
        let dropped = queue.dropped();
        if dropped != dropped_told {
            desk.tell_dropped(queue, now);
        }
        desk.flush(now);
        if is_closed {
            return;
        }
        let idle = desk.journal.as_mut().and_then(|journal| journal.rest(now));
        // What is counted while it is told is told the next time.
        let again = (dropped != dropped_told).then_some(DROPPED_LOOK);
        dropped_told = dropped;
        sleep(queue, again.or(idle));
    }
}

/// Sleeps until an event comes, or until the time is over, then lets more gather: one wake-up serves many requests.
fn sleep(queue: &EventQueue, time_max: Option<Duration>) {
    {
        let mut guard = queue.lock.lock();
        queue.is_writer_asleep.store(true, Ordering::SeqCst);
        let is_idle = || queue.events.is_empty() && !queue.is_closed.load(Ordering::SeqCst);
        let mut is_over = false;
        while is_idle() && !is_over {
            match time_max {
                Some(time) => is_over = queue.wake.wait_for(&mut guard, time).timed_out(),
                None => queue.wake.wait(&mut guard),
            }
        }
        queue.is_writer_asleep.store(false, Ordering::SeqCst);
    }
    if !queue.is_closed.load(Ordering::SeqCst) {
        std::thread::sleep(GATHER_TIME);
    }
}
