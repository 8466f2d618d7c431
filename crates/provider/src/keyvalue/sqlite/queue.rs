//! Writes on their way to the thread that does them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::super::{BATCH_BYTES_MAX, BATCH_MAX, BucketError};
use super::group::{Failed, Group, Write};
use super::writer;

/// What may wait, in bytes; whoever comes then waits for room. One batch of the largest size has room.
const WAITING_BYTES_MAX: usize = BATCH_BYTES_MAX + BATCH_MAX * WRITE_BYTES + WRITE_BYTES;
/// What a write takes beside its keys and values, so that many small ones are bounded too.
const WRITE_BYTES: usize = 1_024;
/// Writes in one transaction: more would make the first of them wait for long.
const GROUP_MAX: usize = 1_024;
/// How long the thread waits for another write before it ends.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// The writes that wait, and the thread that takes them.
#[derive(Debug)]
pub(super) struct Queue {
    path: PathBuf,
    bytes_max: u64,
    room: Arc<Semaphore>,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Write>>,
    /// Whether there is a thread that will look at `waiting` again.
    is_served: bool,
    is_closed: bool,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("waiting", &self.waiting.len()).field("is_served", &self.is_served).finish()
    }
}

/// What the thread is to do next.
pub(super) enum Turn {
    /// These writes.
    Group(Vec<Box<dyn Write>>),
    /// Nothing came for a while: tidy up, then ask again with [`Queue::end_if_idle`].
    Idle,
    /// The store is closed, and nothing waits any more.
    Closed,
}

impl Queue {
    pub(super) fn new(path: &Path, bytes_max: u64) -> Self {
        Self {
            path: path.to_owned(),
            bytes_max,
            room: Arc::new(Semaphore::new(WAITING_BYTES_MAX)),
            state: Mutex::default(),
            arrived: Condvar::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Has a write done; `bytes` are those of its keys and values.
    ///
    /// # Cancel safety
    /// A write that nobody waits for is done or not done, as it comes.
    pub(super) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        bytes: usize,
        run: impl FnMut(&mut Group<'_>) -> Result<T, BucketError> + Send + 'static,
    ) -> Result<T, BucketError> {
        let bytes = u32::try_from((bytes + WRITE_BYTES).min(WAITING_BYTES_MAX)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| BucketError::Unavailable)?;
        let (asker, answer) = oneshot::channel();
        self.push(Box::new(Waiting { run, result: None, asker, _room: room }))?;
        answer.await.map_err(|_| BucketError::Backend("the thread that writes broke off".to_owned()))?
    }

    fn push(self: &Arc<Self>, write: Box<dyn Write>) -> Result<(), BucketError> {
        let mut state = self.state.lock();
        if !state.is_served {
            let queue = Arc::clone(self);
            let thread = thread::Builder::new().name("kv-writer".to_owned()).spawn(move || writer::serve(&queue));
            state.thread =
                Some(thread.map_err(|error| BucketError::Backend(format!("cannot start a thread: {error}")))?);
            state.is_served = true;
        }
        state.waiting.push_back(write);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for the thread's next turn.
    pub(super) fn next(&self) -> Turn {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.is_closed {
                return Turn::Closed;
            }
            if self.arrived.wait_for(&mut state, IDLE_MAX).timed_out() && state.waiting.is_empty() {
                return Turn::Idle;
            }
        }
        let count = state.waiting.len().min(GROUP_MAX);
        let group: Vec<_> = state.waiting.drain(..count).collect();
        drop(state);
        Turn::Group(group.into_iter().filter(|write| write.is_wanted()).collect())
    }

    /// Lets the thread end, unless something came in the meantime.
    pub(super) fn end_if_idle(&self) -> bool {
        let mut state = self.state.lock();
        if state.waiting.is_empty() {
            state.is_served = false;
        }
        !state.is_served
    }

    /// The thread is gone, whatever the reason. What waits learns so from its dropped sender.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        state.is_served = false;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }

    /// Waits until the thread has done what it has begun, and ended.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        let thread = state.thread.take();
        drop(state);
        self.arrived.notify_one();
        // The last handle may be dropped on the thread itself, by a task that an answer woke and ended.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!(file = %self.path.display(), "the thread that writes broke off");
        }
    }
}

struct Waiting<T, F> {
    run: F,
    result: Option<Result<T, BucketError>>,
    asker: oneshot::Sender<Result<T, BucketError>>,
    _room: OwnedSemaphorePermit,
}

impl<T, F> Write for Waiting<T, F>
where
    T: Send,
    F: FnMut(&mut Group<'_>) -> Result<T, BucketError> + Send,
{
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), Failed> {
        let result = (self.run)(group);
        let done = if result.is_ok() { Ok(()) } else { Err(Failed) };
        self.result = Some(result);
        done
    }

    fn is_wanted(&self) -> bool {
        !self.asker.is_closed()
    }

    fn answer(self: Box<Self>, committed: Result<(), BucketError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(BucketError::Backend("a write was never tried".to_owned())),
            (Err(error), _) => Err(error),
        };
        // Nobody may wait for it any more.
        drop(self.asker.send(result));
    }
}
