//! The run queue: after its first slice a guest is polled here, fairly by app, and never on a thread that serves
//! connections.
//!
//! Threads of their own let the kernel keep those that serve connections responsive, whatever guests do here; turns
//! go round by app, so that an app with a hundred busy requests and one with two get the same.

use crate::task::Task;
use parking_lot::{Condvar, Mutex};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

#[derive(Debug, Default)]
struct Turns {
    /// Apps with something to run, in the order of their turns.
    order: VecDeque<u64>,
    /// What each of them has to run.
    lanes: HashMap<u64, VecDeque<Arc<Task>>>,
    stopped: bool,
}

impl Turns {
    fn push(&mut self, task: Arc<Task>) {
        let turn = task.turn();
        let lane = self.lanes.entry(turn).or_default();
        if lane.is_empty() {
            self.order.push_back(turn);
        }
        lane.push_back(task);
    }

    fn pop(&mut self) -> Option<Arc<Task>> {
        let turn = self.order.pop_front()?;
        let lane = self.lanes.get_mut(&turn)?;
        let task = lane.pop_front();
        if lane.is_empty() {
            self.lanes.remove(&turn);
        } else {
            self.order.push_back(turn);
        }
        task
    }
}

/// Tasks that wait for their turn. Bounded by admission: a task exists only for an invocation with a permit.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    turns: Mutex<Turns>,
    ready: Condvar,
}

impl Queue {
    /// Queues a task for its next slice.
    pub(crate) fn push(&self, task: Arc<Task>) {
        self.turns.lock().push(task);
        self.ready.notify_one();
    }

    /// Waits for the next task; `None` when the queue has stopped.
    fn next(&self) -> Option<Arc<Task>> {
        let mut turns = self.turns.lock();
        loop {
            if turns.stopped {
                return None;
            }
            if let Some(task) = turns.pop() {
                return Some(task);
            }
            self.ready.wait(&mut turns);
        }
    }

    fn stop(&self) {
        let left = {
            let mut turns = self.turns.lock();
            turns.stopped = true;
            turns.order.clear();
            std::mem::take(&mut turns.lanes)
        };
        self.ready.notify_all();
        // Dropped outside the lock: a guest's end may wake others.
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
