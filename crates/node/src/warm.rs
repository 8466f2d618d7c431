//! Room for instances that wait for an invocation, and their end when none comes.

use cumulet_capability::{Ahead, Held, Room, Warm};
use cumulet_meter::Admission;
use cumulet_spec::manifest::Reuse;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The part of the node's slots that instances may keep while they wait: the rest is for invocations.
const SLOTS_DIVISOR: u32 = 8;
/// How often instances are ended that nobody took since: one that waits in vain lives for one to two of these.
const IDLE: Duration = Duration::from_secs(10);

/// The instances of a node that wait.
#[derive(Debug)]
pub(crate) struct WarmInstances {
    slots: Arc<Slots>,
    components: Arc<Mutex<Vec<Component>>>,
    /// Invocations that found their instance made, of components that are no more.
    found_made: Arc<AtomicU64>,
}

/// What waits of one component.
#[derive(Debug, Clone)]
enum Component {
    Reused(Weak<Warm>),
    MadeAhead(Weak<Ahead>),
}

/// Slots that waiting instances hold, taken from those that invocations are admitted to.
#[derive(Debug)]
struct Slots {
    admission: Arc<Admission>,
    held: AtomicU32,
    max: u32,
}

/// Some of them.
struct Share {
    slots: Arc<Slots>,
    count: u32,
}

impl WarmInstances {
    pub(crate) fn new(admission: &Arc<Admission>) -> Self {
        let max = admission.slots().capacity() / SLOTS_DIVISOR;
        let slots = Slots { admission: Arc::clone(admission), held: AtomicU32::new(0), max };
        Self { slots: Arc::new(slots), components: Arc::default(), found_made: Arc::default() }
    }

    /// Where the instances of a component wait that serve several invocations each.
    pub(crate) fn of_component(&self, reuse: Reuse) -> Arc<Warm> {
        let room = Arc::clone(&self.slots);
        let warm = Arc::new(Warm::new(reuse.requests, reuse.concurrent, room));
        self.add(Component::Reused(Arc::downgrade(&warm)));
        warm
    }

    /// Where the next instance of a component waits that is made before its invocation.
    pub(crate) fn ahead_of_component(&self) -> Arc<Ahead> {
        let room = Arc::clone(&self.slots);
        let ahead = Arc::new(Ahead::new(room, Arc::clone(&self.found_made)));
        self.add(Component::MadeAhead(Arc::downgrade(&ahead)));
        ahead
    }

    fn add(&self, component: Component) {
        let mut components = self.components.lock();
        // Those that are gone leave when there would be no more room: seldom.
        if components.len() == components.capacity() {
            components.retain(Component::is_there);
        }
        components.push(component);
    }

    /// Slots that waiting instances hold.
    pub(crate) fn slots_held(&self) -> u32 {
        self.slots.held.load(Ordering::Relaxed)
    }

    /// Invocations that found their instance made.
    pub(crate) fn found_made(&self) -> u64 {
        let components = self.components.lock();
        let now: u64 = components.iter().map(Component::found_made).sum();
        now.saturating_add(self.found_made.load(Ordering::Relaxed))
    }

    /// Ends what waits in vain, for as long as what is returned is polled.
    pub(crate) fn end_idle(&self) -> impl Future<Output = ()> + use<> {
        let components = Arc::clone(&self.components);
        async move {
            loop {
                tokio::time::sleep(IDLE).await;
                // Ending instances takes a while: not under the lock, which every load of a component takes.
                let all = components.lock().clone();
                all.iter().for_each(Component::end_idle);
            }
        }
    }
}

impl Component {
    fn is_there(&self) -> bool {
        match self {
            Self::Reused(warm) => warm.strong_count() > 0,
            Self::MadeAhead(ahead) => ahead.strong_count() > 0,
        }
    }

    fn found_made(&self) -> u64 {
        match self {
            Self::Reused(_) => 0,
            Self::MadeAhead(ahead) => ahead.upgrade().map_or(0, |ahead| ahead.taken()),
        }
    }

    fn end_idle(&self) {
        match self {
            Self::Reused(warm) => warm.upgrade().iter().for_each(|warm| warm.end_idle()),
            Self::MadeAhead(ahead) => ahead.upgrade().iter().for_each(|ahead| ahead.end_idle()),
        }
    }
}

impl Room for Slots {
    fn hold(self: Arc<Self>, slots: u32) -> Option<Held> {
        let fits = |held: u32| held.checked_add(slots).filter(|held| *held <= self.max);
        self.held.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits).ok()?;
        if self.admission.slots().try_enter(slots) {
            return Some(Box::new(Share { slots: Arc::clone(&self), count: slots }));
        }
        self.held.fetch_sub(slots, Ordering::SeqCst);
        None
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.slots.admission.slots().leave(self.count);
        self.slots.held.fetch_sub(self.count, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_leaves_the_most_part_to_invocations() {
        let admission = Admission::new(64);
        let warm = WarmInstances::new(&admission);
        let mut held: Vec<Held> = std::iter::from_fn(|| Arc::clone(&warm.slots).hold(2)).collect();
        assert_eq!((held.len(), warm.slots_held(), admission.slots().inside()), (4, 8, 8));
        held.pop();
        assert_eq!((warm.slots_held(), admission.slots().inside()), (6, 6));
        assert!(Arc::clone(&warm.slots).hold(3).is_none(), "3 do not fit where 2 are free");
        held.clear();
        assert_eq!((warm.slots_held(), admission.slots().inside()), (0, 0));
    }

    #[test]
    fn nothing_waits_where_invocations_need_every_slot() {
        let admission = Admission::new(64);
        let warm = WarmInstances::new(&admission);
        assert!(admission.slots().try_enter(63));
        assert!(Arc::clone(&warm.slots).hold(2).is_none());
        assert_eq!((warm.slots_held(), admission.slots().inside()), (0, 63));
        let one = Arc::clone(&warm.slots).hold(1);
        assert!(one.is_some());
        assert_eq!((warm.slots_held(), admission.slots().inside()), (1, 64));
    }
}
