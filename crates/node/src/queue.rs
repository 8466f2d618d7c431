//! The run queue: after its first slice a guest is polled here, in the order that `meter` gives, and never on a thread
//! that serves connections.
//!
//! Threads of their own let the kernel keep those that serve connections responsive, whatever guests do here. Between
//! tenants the one that has used least of the processor by its weight goes first; within a tenant, apps take turns.

use crate::task::Task;
use cumulet_meter::{Shares, Turn};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Tasks that wait for their turn. Bounded by admission: a task exists only for an invocation with a permit.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    shares: Mutex<Shares<Arc<Task>>>,
    ready: Condvar,
}

impl Queue {
    /// Queues a task for its next slice.
    pub(crate) fn push(&self, task: Arc<Task>) {
        self.settle(task.turn(), 0, Some(task));
    }

    /// Charges executed time, and queues a task again if it has more to do.
    pub(crate) fn settle(&self, turn: Turn, nanos: u64, again: Option<Arc<Task>>) {
        let mut shares = self.shares.lock();
        if nanos > 0 {
            shares.charge(turn, nanos);
        }
        let Some(task) = again else { return };
        let refused = shares.push(turn, task);
        drop(shares);
        self.ready.notify_one();
        // Dropped outside the lock: a guest's end may wake others.
        drop(refused);
    }

    /// Waits for the next task; `None` when the queue has stopped.
    fn next(&self) -> Option<Arc<Task>> {
        let mut shares = self.shares.lock();
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
    /// Starts `count` threads on `queue`. Guests' timers and sockets live on `runtime`.
    pub(crate) fn start(queue: &Arc<Queue>, count: usize, runtime: &tokio::runtime::Handle) -> io::Result<Self> {
        let mut runners = Self { queue: Arc::clone(queue), threads: Vec::with_capacity(count) };
        for number in 0..count {
            let queue = Arc::clone(queue);
            let runtime = runtime.clone();
            let thread = std::thread::Builder::new().name(format!("runner-{number}")).spawn(move || {
                let _entered = runtime.enter();
                while let Some(task) = queue.next() {
                    task.run();
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
