//! Who waits for the processor, for threads to take from.

use cumulet_meter::{Shares, Turn};
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, Ordering};

/// What waits, in the order of [`Shares`].
#[derive(Debug)]
pub(super) struct Line<T> {
    shares: Mutex<Shares<T>>,
    ready: Condvar,
    /// Somebody waits or owes. Written under the lock, read without: most first slices find it false and are done.
    is_contended: AtomicBool,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { shares: Mutex::default(), ready: Condvar::new(), is_contended: AtomicBool::new(false) }
    }
}

impl<T> Line<T> {
    /// Whether nobody stands in it, and somebody may.
    pub(super) fn is_free(&self) -> bool {
        let shares = self.shares.lock();
        !shares.is_stopped() && shares.is_empty()
    }

    /// Charges executed time that was used outside, at once: later it would be held against whoever used it as if it had
    /// been used then. While nobody waits or owes, it is held against nobody.
    pub(super) fn charge(&self, turn: Turn, nanos: u64) {
        if nanos == 0 || !self.is_contended.load(Ordering::Relaxed) {
            return;
        }
        let mut shares = self.shares.lock();
        shares.charge(turn, nanos);
        self.note(&shares);
    }

    /// Puts an item where its turn will be. After the stop it comes back.
    pub(super) fn push(&self, turn: Turn, item: T) -> Option<T> {
        let mut shares = self.shares.lock();
        let refused = shares.push(turn, item).err();
        self.note(&shares);
        drop(shares);
        self.ready.notify_one();
        refused
    }

    /// Charges what its last turn used, if there was one, puts it back if it goes on, and waits for the next item; `None`
    /// after the stop.
    ///
    /// An item that goes on is put back without waking anybody: this thread takes it, or another that waits already, and
    /// waking a second one for it would cost more than the rest of what stands between two slices.
    pub(super) fn next(&self, ended: Option<(Turn, u64, Option<T>)>) -> Option<T> {
        let mut shares = self.shares.lock();
        if let Some((turn, nanos, again)) = ended {
            if nanos > 0 {
                shares.charge(turn, nanos);
            }
            if let Some(item) = again
                && let Err(refused) = shares.push(turn, item)
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
            let taken = shares.pop();
            self.note(&shares);
            if let Some((_turn, item)) = taken {
                return Some(item);
            }
            self.ready.wait(&mut shares);
        }
    }

    /// Nothing is taken any more; what waited comes back, to be dropped outside the lock.
    pub(super) fn stop(&self) -> Vec<T> {
        let left = self.shares.lock().stop();
        self.ready.notify_all();
        left
    }

    fn note(&self, shares: &Shares<T>) {
        let is_contended = !shares.is_at_rest();
        // Most often it is as it was, and other threads have it in their caches.
        if self.is_contended.load(Ordering::Relaxed) != is_contended {
            self.is_contended.store(is_contended, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cumulet_spec::quota::Weight;

    const SLICE_NANOS: u64 = 1_000_000;

    fn turn(tenant: u64) -> Turn {
        Turn { tenant, app: 0, weight: Weight::default() }
    }

    /// A line in which two of tenant 1 stand that never end, and one of which has its turn.
    fn spinning() -> (Line<u64>, u64) {
        let line = Line::default();
        for _ in 0..3 {
            assert_eq!(line.push(turn(1), 1), None);
        }
        let first = line.next(None).unwrap();
        (line, first)
    }

    fn spin(line: &Line<u64>, item: u64) -> u64 {
        line.next(Some((turn(item), SLICE_NANOS, Some(item)))).unwrap()
    }

    #[test]
    fn who_used_little_outside_for_long_does_not_wait_for_it_at_once() {
        let (line, mut running) = spinning();
        for _ in 0..1_000 {
            line.charge(turn(2), SLICE_NANOS / 2);
            running = spin(&line, running);
        }
        // It would have to wait 500 slices if what it used in a thousand were counted now.
        assert_eq!(line.push(turn(2), 2), None);
        let waited = (1..).find(|_| {
            running = spin(&line, running);
            running == 2
        });
        assert!(waited <= Some(2), "{waited:?} slices");
    }

    #[test]
    fn who_uses_more_than_its_share_outside_waits_until_the_others_have_had_as_much() {
        let (line, mut running) = spinning();
        for _ in 0..10 {
            line.charge(turn(2), 5 * SLICE_NANOS);
            running = spin(&line, running);
        }
        assert_eq!(line.push(turn(2), 2), None);
        let waited = (1..).find(|_| {
            running = spin(&line, running);
            running == 2
        });
        assert!((Some(35)..=Some(50)).contains(&waited), "{waited:?} slices for 50 that it had beside 10");
    }

    #[test]
    fn what_is_used_while_nobody_waits_is_held_against_nobody() {
        let line = Line::default();
        line.charge(turn(2), 1_000 * SLICE_NANOS);
        for tenant in [1, 1, 2] {
            assert_eq!(line.push(turn(tenant), tenant), None);
        }
        let first = line.next(None).unwrap();
        let turns = [first, spin(&line, first)];
        assert!(turns.contains(&2), "{turns:?}");
    }

    #[test]
    fn debts_grow_old_while_nobody_waits() {
        let line = Line::default();
        assert_eq!(line.push(turn(1), 1), None);
        line.charge(turn(2), 10 * SLICE_NANOS);
        assert_eq!(line.next(None), Some(1));
        assert!(line.is_free() && line.is_contended.load(Ordering::Relaxed), "2 owes");
        for _ in 0..11 {
            line.charge(turn(3), SLICE_NANOS);
        }
        assert!(!line.is_contended.load(Ordering::Relaxed), "nobody owes");
        assert!(line.stop().is_empty());
        assert_eq!((line.push(turn(1), 7), line.next(None)), (Some(7), None));
    }
}
