//! The run queue: a guest that computes on after a slice is polled here, in the order that `meter` gives, and not on a
//! thread that serves connections.
//!
//! Threads of their own let the kernel keep those that serve connections responsive, whatever guests do here. Between
//! tenants the one that has used least of the processor by its weight goes first; within a tenant, apps take turns. A
//! guest that waited is like one that has just come: while nobody stands in line, its next slice runs on the thread that
//! has what it waited for.

mod line;

use crate::queue::line::Line;
use crate::task::Task;
use cumulet_meter::Turn;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::runtime::Handle;

/// What a task used in one slice, and the task if it has more to do.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) turn: Turn,
    pub(crate) nanos: u64,
    pub(crate) again: Option<Arc<Task>>,
}

/// Tasks that wait for their turn. Bounded by admission: a task exists only for an invocation with a permit.
#[derive(Debug)]
pub(crate) struct Queue {
    line: Line<Arc<Task>>,
    runtime: Handle,
}

impl Queue {
    /// An empty queue of guests whose timers and sockets live on `runtime`.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { line: Line::default(), runtime }
    }

    /// Lets a task run that was woken. Waking another thread for it takes longer than most guests go on for, so that one
    /// that was woken by another's work on the runtime is polled there next.
    pub(crate) fn wake(self: &Arc<Self>, task: Arc<Task>) {
        if !self.line.is_free() || tokio::task::try_id().is_none() {
            return self.push(task);
        }
        let queue = Arc::clone(self);
        self.runtime.spawn(async move { queue.settle(task.run()) });
    }

    /// Runs work on the runtime; from one of its threads, on that thread and next.
    pub(crate) fn later(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Charges a slice that ran elsewhere than on a runner.
    pub(crate) fn charge(&self, turn: Turn, nanos: u64) {
        self.line.charge(turn, nanos);
    }

    /// The same for a task's, which is queued if it goes on.
    pub(crate) fn settle(&self, slice: Slice) {
        let Slice { turn, nanos, again } = slice;
        self.charge(turn, nanos);
        if let Some(task) = again {
            self.push(task);
        }
    }

    /// Queues a task for its next slice.
    pub(crate) fn push(&self, task: Arc<Task>) {
        // Dropped outside the lock: a guest's end may wake others.
        drop(self.line.push(task.turn(), task));
    }

    /// Charges the slice that a runner has just ended, if any, and waits for its next task; `None` when the queue has
    /// stopped.
    fn next(&self, slice: Option<Slice>) -> Option<Arc<Task>> {
        let ended = slice.map(|Slice { turn, nanos, again }| (turn, nanos, again));
        self.line.next(ended)
    }
}

/// The threads that run guests after their first slice.
#[derive(Debug)]
pub(crate) struct Runners {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Runners {
    /// Starts `count` threads on `queue`.
    pub(crate) fn start(queue: &Arc<Queue>, count: usize) -> io::Result<Self> {
        let mut runners = Self { queue: Arc::clone(queue), threads: Vec::with_capacity(count) };
        for number in 0..count {
            let queue = Arc::clone(queue);
            let thread = std::thread::Builder::new().name(format!("runner-{number}")).spawn(move || {
                let _entered = queue.runtime.enter();
                let mut slice = None;
                while let Some(task) = queue.next(slice.take()) {
                    slice = Some(task.run());
                }
            })?;
            runners.threads.push(thread);
        }
        Ok(runners)
    }
}

impl Drop for Runners {
    fn drop(&mut self) {
        drop(self.queue.line.stop());
        for thread in self.threads.drain(..) {
            // A panic on a runner has been reported by its own thread.
            drop(thread.join());
        }
    }
}
