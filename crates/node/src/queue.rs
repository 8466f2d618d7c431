//! The run queue: a guest that computes on after a slice is polled here, in the order that `meter` gives, and not on a
//! thread that serves connections.
//!
//! Threads of their own let the kernel keep those that serve connections responsive, whatever guests do here. Between
//! tenants the one that has used least of the processor by its weight goes first; within a tenant, apps take turns. A
//! guest that waited is like one that has just come: while nobody stands in line, its next slice runs on the thread that
//! has what it waited for.

use crate::task::Task;
use cumulet_meter::{Shares, Turn};
use parking_lot::{Condvar, Mutex};
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
    shares: Mutex<Shares<Arc<Task>>>,
    ready: Condvar,
    runtime: Handle,
}

impl Queue {
    /// An empty queue of guests whose timers and sockets live on `runtime`.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { shares: Mutex::default(), ready: Condvar::new(), runtime }
    }

    /// Lets a task run that was woken. Waking another thread for it takes longer than most guests go on for, so that one
    /// that was woken by another's work on the runtime is polled there next.
    pub(crate) fn wake(self: &Arc<Self>, task: Arc<Task>) {
        let must_queue = {
            let shares = self.shares.lock();
            shares.is_stopped() || !shares.is_empty()
        };
        if must_queue || tokio::task::try_id().is_none() {
            return self.push(task);
        }
        let queue = Arc::clone(self);
        self.runtime.spawn(async move { queue.settle(task.run()) });
    }

    /// Runs work on the runtime; from one of its threads, on that thread and next.
    pub(crate) fn later(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Charges a slice that ran elsewhere than on a runner, and queues its task if it goes on.
    pub(crate) fn settle(&self, slice: Slice) {
        let Slice { turn, nanos, again } = slice;
        if nanos > 0 {
            self.shares.lock().charge(turn, nanos);
        }
        if let Some(task) = again {
            self.push(task);
        }
    }

    /// Queues a task for its next slice.
    pub(crate) fn push(&self, task: Arc<Task>) {
        let refused = self.shares.lock().push(task.turn(), task);
        self.ready.notify_one();
        // Dropped outside the lock: a guest's end may wake others.
        drop(refused);
    }

    /// Charges the slice that a runner has just ended, if any, and waits for its next task; `None` when the queue has
    /// stopped.
    ///
    /// A task that goes on is queued without waking anybody: this runner takes it, or another that waits already, and
    /// waking a second thread for it would cost more than the rest of what stands between two slices.
    fn next(&self, slice: Option<Slice>) -> Option<Arc<Task>> {
        let mut shares = self.shares.lock();
        if let Some(Slice { turn, nanos, again }) = slice {
            if nanos > 0 {
                shares.charge(turn, nanos);
            }
            if let Some(task) = again
                && let Err(refused) = shares.push(turn, task)
            {
                drop(shares);
                drop(refused);
                return None;
            }
        }
        loop {
            if shares.is_stopped() {
                return None;
            }
            if let Some((_turn, task)) = shares.pop() {
                return Some(task);
            }
            self.ready.wait(&mut shares);
        }
    }

    fn stop(&self) {
        let left = self.shares.lock().stop();
        self.ready.notify_all();
        drop(left);
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
        self.queue.stop();
        for thread in self.threads.drain(..) {
            // A panic on a runner has been reported by its own thread.
            drop(thread.join());
        }
    }
}
