//! A bound on how much may be inside at once, with a short queue before it.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

/// Lets at most `capacity` units in at once.
///
/// Entering and leaving are one atomic operation each while nobody waits; the queue's lock is touched only when it is
/// not empty. Who waits goes first.
#[derive(Debug)]
pub struct Gate {
    capacity: u32,
    waiting_max: usize,
    inside: AtomicU32,
    waiting: AtomicU32,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    wakers: VecDeque<(u64, Waker)>,
}

/// A place in the queue of a gate.
#[derive(Debug, PartialEq, Eq)]
pub struct Waiting(u64);

impl Gate {
    /// A gate for `capacity` units before which at most `waiting_max` wait.
    #[must_use]
    pub fn new(capacity: u32, waiting_max: usize) -> Self {
        Self { capacity, waiting_max, inside: AtomicU32::new(0), waiting: AtomicU32::new(0), queue: Mutex::default() }
    }

    /// Units inside at this moment.
    #[must_use]
    pub fn inside(&self) -> u32 {
        self.inside.load(Ordering::Relaxed)
    }

    /// Units that may be inside at once.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Enters with `units` if there is room and nobody waits.
    #[must_use]
    pub fn try_enter(&self, units: u32) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0 && self.take(units)
    }

    fn take(&self, units: u32) -> bool {
        // More than the whole gate would never fit: it then fits when the gate is empty.
        let units = units.min(self.capacity);
        self.inside
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |inside| {
                inside.checked_add(units).filter(|inside| *inside <= self.capacity)
            })
            .is_ok()
    }

    /// Leaves with `units`, and wakes whoever waits first.
    pub fn leave(&self, units: u32) {
        self.inside.fetch_sub(units.min(self.capacity), Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.wake_first();
        }
    }

    fn wake_first(&self) {
        let waker = self.queue.lock().wakers.front().map(|(_, waker)| waker.clone());
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Enters, or waits in the queue: `Ok(true)` inside, `Ok(false)` waiting with the place in `waiting`, `Err` when
    /// the queue is full.
    pub(crate) fn enter_or_wait(
        &self,
        units: u32,
        waiting: &mut Option<Waiting>,
        waker: &Waker,
    ) -> Result<bool, QueueFull> {
        let mut queue = self.queue.lock();
        let is_first = match waiting {
            None => queue.wakers.is_empty(),
            Some(Waiting(place)) => queue.wakers.front().is_some_and(|(first, _)| first == place),
        };
        if waiting.is_none() {
            if is_first && self.take(units) {
                return Ok(true);
            }
            if queue.wakers.len() >= self.waiting_max {
                return Err(QueueFull);
            }
            let place = queue.next;
            queue.next += 1;
            queue.wakers.push_back((place, waker.clone()));
            *waiting = Some(Waiting(place));
            self.waiting.fetch_add(1, Ordering::SeqCst);
            // Whoever left between the look above and the count did not see the count: look again.
            let is_first = queue.wakers.len() == 1;
            if !(is_first && self.take(units)) {
                return Ok(false);
            }
        } else if !(is_first && self.take(units)) {
            if let Some(Waiting(place)) = waiting
                && let Some(entry) = queue.wakers.iter_mut().find(|(other, _)| other == place)
            {
                entry.1.clone_from(waker);
            }
            return Ok(false);
        }
        queue.wakers.pop_front();
        *waiting = None;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        drop(queue);
        // There may be room for the next one as well.
        self.wake_first();
        Ok(true)
    }

    /// Gives up a place in the queue.
    pub(crate) fn give_up(&self, waiting: Waiting) {
        let mut queue = self.queue.lock();
        let before = queue.wakers.len();
        queue.wakers.retain(|(place, _)| *place != waiting.0);
        if queue.wakers.len() < before {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        drop(queue);
        // The one who gave up may have been woken for room that now belongs to the next.
        self.wake_first();
    }
}

/// The queue before a gate is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(gate: &Gate, place: &mut Option<Waiting>) -> Result<bool, QueueFull> {
        gate.enter_or_wait(1, place, Waker::noop())
    }

    #[test]
    fn never_more_than_the_capacity_is_inside() {
        let gate = Gate::new(2, 1);
        assert!(gate.try_enter(1) && gate.try_enter(1) && !gate.try_enter(1));
        gate.leave(1);
        assert!(gate.try_enter(1));
    }

    #[test]
    fn who_waits_goes_first() {
        let gate = Gate::new(1, 2);
        assert!(gate.try_enter(1));
        let (mut first, mut second, mut third) = (None, None, None);
        assert_eq!(wait(&gate, &mut first), Ok(false));
        assert_eq!(wait(&gate, &mut second), Ok(false));
        assert_eq!(wait(&gate, &mut third), Err(QueueFull));
        gate.leave(1);
        assert!(!gate.try_enter(1), "a newcomer does not pass the queue");
        assert_eq!(wait(&gate, &mut second), Ok(false));
        assert_eq!(wait(&gate, &mut first), Ok(true));
        gate.leave(1);
        assert_eq!(wait(&gate, &mut second), Ok(true));
        gate.leave(1);
        assert_eq!((gate.inside(), gate.waiting()), (0, 0));
    }

    #[test]
    fn giving_up_leaves_no_trace() {
        let gate = Gate::new(1, 2);
        assert!(gate.try_enter(1));
        let (mut first, mut second) = (None, None);
        assert_eq!(wait(&gate, &mut first), Ok(false));
        assert_eq!(wait(&gate, &mut second), Ok(false));
        gate.give_up(first.unwrap());
        gate.leave(1);
        assert_eq!(wait(&gate, &mut second), Ok(true));
    }

    #[test]
    fn more_units_than_the_gate_has_take_all_of_it() {
        let gate = Gate::new(4, 0);
        assert!(gate.try_enter(9) && !gate.try_enter(1));
        gate.leave(9);
        assert!(gate.try_enter(1));
    }
}
