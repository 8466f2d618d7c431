//! The thread that writes events.

use super::line::Lines;
use super::{Event, EventFormat, EventQueue};
use crate::clock::Calendar;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the writer lets events gather after it was woken.
const GATHER_TIME: Duration = Duration::from_millis(5);
/// Bytes that are written at once, at the most about this many.
const BATCH_BYTES: usize = 256 << 10;

/// Writes events until it is dropped; then writes what is left.
#[derive(Debug)]
pub(crate) struct EventWriter {
    queue: Arc<EventQueue>,
    thread: Option<JoinHandle<()>>,
}

impl EventWriter {
    /// Starts to write the events of `queue` to `to`.
    pub(crate) fn start(queue: Arc<EventQueue>, format: EventFormat, to: Box<dyn Write + Send>) -> io::Result<Self> {
        let lines = Lines::new(format, Calendar::start());
        let thread = std::thread::Builder::new().name("events".into()).spawn({
            let queue = Arc::clone(&queue);
            move || write(&queue, lines, to)
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

fn write(queue: &EventQueue, mut lines: Lines, mut to: Box<dyn Write + Send>) {
    let mut batch = Vec::with_capacity(BATCH_BYTES);
    loop {
        let is_closed = queue.is_closed.load(Ordering::SeqCst);
        while let Some(event) = queue.events.pop() {
            if let Event::Printed(printed) = &event {
                queue.output_bytes.fetch_sub(printed.bytes.len() as u64, Ordering::Relaxed);
            }
            lines.add(&event, &mut batch);
            if batch.len() >= BATCH_BYTES {
                flush(&mut batch, &mut to);
            }
        }
        flush(&mut batch, &mut to);
        if is_closed {
            return;
        }
        sleep(queue);
    }
}

/// An operator's terminal or file that cannot be written to must not end the node.
fn flush(batch: &mut Vec<u8>, to: &mut Box<dyn Write + Send>) {
    if !batch.is_empty() && to.write_all(batch).and_then(|()| to.flush()).is_err() {
        tracing::debug!("events could not be written");
    }
    batch.clear();
}

/// Sleeps until an event comes, then lets more gather: one wake-up serves many requests.
fn sleep(queue: &EventQueue) {
    {
        let mut guard = queue.lock.lock();
        queue.is_writer_asleep.store(true, Ordering::SeqCst);
        while queue.events.is_empty() && !queue.is_closed.load(Ordering::SeqCst) {
            queue.wake.wait(&mut guard);
        }
        queue.is_writer_asleep.store(false, Ordering::SeqCst);
    }
    if !queue.is_closed.load(Ordering::SeqCst) {
        std::thread::sleep(GATHER_TIME);
    }
}
