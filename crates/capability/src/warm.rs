//! Instances that have served, and wait for another invocation of the same revision.

use crate::exchange::Exchange;
use crate::instance::Instance;
use cumulet_spec::id::RequestId;
use parking_lot::Mutex;
use std::sync::Arc;

/// Says whether there is room for an instance that waits.
pub trait Room: Send + Sync + std::fmt::Debug {
    /// Room for an instance of so many slots of the pool, until what is returned is dropped.
    fn hold(self: Arc<Self>, slots: u32) -> Option<Held>;
}

/// Room that an instance has. Gives it back when dropped.
pub type Held = Box<dyn Send>;

/// The instances of one component that wait: taken by the next invocation, ended by themselves when none comes.
///
/// An instance comes here only when its guest returned in good order, and leaves for good after so many invocations, or
/// when it has waited for a while. Whoever drops this ends them all.
#[derive(Debug)]
pub struct Warm {
    requests_max: u32,
    room: Arc<dyn Room>,
    waiting: Mutex<Vec<Waiting>>,
}

struct Waiting {
    instance: Instance,
    /// Nobody took it between two calls of [`Warm::end_idle`].
    is_idle: bool,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("is_idle", &self.is_idle).finish_non_exhaustive()
    }
}

impl Warm {
    /// For instances that serve at most so many invocations each, as far as there is room.
    #[must_use]
    pub fn new(requests_max: u32, room: Arc<dyn Room>) -> Self {
        Self { requests_max, room, waiting: Mutex::default() }
    }

    /// How many instances wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Ends every instance that nobody took since the last call of this.
    pub fn end_idle(&self) {
        let mut ended = Vec::new();
        let mut waiting = self.waiting.lock();
        for mut one in std::mem::take(&mut *waiting) {
            if std::mem::replace(&mut one.is_idle, true) {
                ended.push(one);
            } else {
                waiting.push(one);
            }
        }
        // Dropping an instance takes microseconds: not under the lock.
        drop(waiting);
        drop(ended);
    }

    /// The instance that served last, with its new occupant.
    pub(crate) fn take(&self, exchange: &Arc<Exchange>, id: RequestId) -> Option<Instance> {
        let mut instance = self.waiting.lock().pop()?.instance;
        instance.welcome(exchange, id);
        Some(instance)
    }

    /// Keeps an instance whose guest has returned, if it may serve again and there is room.
    pub(crate) fn keep(&self, mut instance: Instance, slots: u32) {
        if instance.served() >= self.requests_max || !instance.has_room(|| Arc::clone(&self.room).hold(slots)) {
            return;
        }
        self.waiting.lock().push(Waiting { instance, is_idle: false });
    }
}
