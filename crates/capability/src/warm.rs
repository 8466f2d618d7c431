//! Instances that have served, and wait for another invocation of the same revision.

use crate::exchange::Exchange;
use crate::instance::Instance;
use crate::shared::{Capacity, Newcomer, Shared, Visit};
use cumulet_spec::id::RequestId;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

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
///
/// Where several may run in one instance at once, the instance is in the list from its first invocation on.
#[derive(Debug)]
pub struct Warm {
    capacity: Capacity,
    room: Arc<dyn Room>,
    waiting: Mutex<Vec<Waiting>>,
    shared: Mutex<Vec<Known>>,
}

/// An instance of several invocations at once. It lives for as long as anybody is in it, or it waits.
struct Known {
    shared: Weak<Shared>,
    waits: Option<(Arc<Shared>, Held)>,
    /// Nobody came between two calls of [`Warm::end_idle`].
    is_idle: bool,
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

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("is_idle", &self.is_idle).finish_non_exhaustive()
    }
}

impl Warm {
    /// For instances that serve at most `requests` invocations each, `concurrent` of them at once, and wait in between as
    /// far as there is room.
    #[must_use]
    pub fn new(requests: u32, concurrent: u32, room: Arc<dyn Room>) -> Self {
        let capacity = Capacity { requests, concurrent };
        Self { capacity, room, waiting: Mutex::default(), shared: Mutex::default() }
    }

    /// Whether several invocations may run in one instance at once.
    pub(crate) fn is_shared(&self) -> bool {
        self.capacity.concurrent > 1
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
        let mut shared = self.shared.lock();
        let idle =
            shared.iter_mut().filter_map(|one| std::mem::replace(&mut one.is_idle, true).then(|| one.waits.take()));
        let ended: Vec<_> = idle.flatten().collect();
        drop(shared);
        drop(ended);
    }

    /// Lets a newcomer into an instance that has room for it, or else into what `open` makes for it.
    pub(crate) fn visit(&self, newcomer: Newcomer, open: impl FnOnce(Newcomer) -> Visit) -> Option<Visit> {
        let mut newcomer = Some(newcomer);
        let mut shared = self.shared.lock();
        shared.retain(|one| one.shared.strong_count() > 0);
        for one in shared.iter_mut() {
            let admitted = one.shared.upgrade().and_then(|instance| instance.admit(&mut newcomer, self.capacity));
            if let Some(visit) = admitted {
                one.is_idle = false;
                let waited = one.waits.take();
                drop(shared);
                drop(waited);
                return Some(visit);
            }
        }
        let visit = open(newcomer?);
        shared.push(Known { shared: Arc::downgrade(visit.shared()), waits: None, is_idle: false });
        Some(visit)
    }

    /// Keeps an instance that nobody is in any more, if it may serve again and there is room.
    pub(crate) fn rest(&self, instance: Arc<Shared>, slots: u32) {
        let mut shared = self.shared.lock();
        let known = shared.iter_mut().find(|one| std::ptr::eq(one.shared.as_ptr(), Arc::as_ptr(&instance)));
        if let Some(one) = known.filter(|one| one.waits.is_none())
            && instance.may_wait(self.capacity)
            && let Some(held) = Arc::clone(&self.room).hold(slots)
        {
            one.waits = Some((instance, held));
        }
    }

    /// The instance that served last, with its new occupant.
    pub(crate) fn take(&self, exchange: &Arc<Exchange>, id: RequestId) -> Option<Instance> {
        let mut instance = self.waiting.lock().pop()?.instance;
        instance.welcome(exchange, id);
        Some(instance)
    }

    /// Keeps an instance whose guest has returned, if it may serve again and there is room.
    pub(crate) fn keep(&self, mut instance: Instance, slots: u32) {
        if instance.served() >= self.capacity.requests || !instance.has_room(|| Arc::clone(&self.room).hold(slots)) {
            return;
        }
        self.waiting.lock().push(Waiting { instance, is_idle: false });
    }
}
