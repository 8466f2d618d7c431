//! Handshakes under way: so many at once, and with one more the oldest gives way.
//!
//! Who is slow on purpose holds the oldest places, and loses them first: a client that goes on at once gets through
//! however many do not.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::connection::Activity;

/// The handshakes under way, in the order in which they began.
#[derive(Debug)]
pub(super) struct UnderWay {
    max: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    taken: BTreeMap<u64, Arc<Activity>>,
}

/// A handshake's place, until this is dropped.
#[must_use]
#[derive(Debug)]
pub(super) struct Place<'a> {
    under_way: &'a UnderWay,
    number: u64,
}

impl UnderWay {
    pub(super) fn new(max: usize) -> Self {
        Self { max: max.max(1), places: Mutex::default() }
    }

    /// Takes a place. The connection of the oldest handshake is asked to end if there are too many.
    pub(super) fn enter(&self, activity: &Arc<Activity>) -> Place<'_> {
        let mut places = self.places.lock();
        let number = places.next;
        places.next += 1;
        places.taken.insert(number, Arc::clone(activity));
        let oldest = if places.taken.len() > self.max { places.taken.pop_first() } else { None };
        drop(places);
        if let Some((_, activity)) = oldest {
            activity.leave();
        }
        Place { under_way: self, number }
    }

    pub(super) fn count(&self) -> usize {
        self.places.lock().taken.len()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.under_way.places.lock().taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way() {
        let under_way = UnderWay::new(2);
        let activities: Vec<Arc<Activity>> = (0..4).map(|_| Arc::default()).collect();
        let places: Vec<_> = activities.iter().take(2).map(|activity| under_way.enter(activity)).collect();
        let left = || activities.iter().map(|activity| activity.is_leaving()).collect::<Vec<_>>();
        assert_eq!(left(), [false; 4]);
        let third = under_way.enter(&activities[2]);
        assert_eq!(left(), [true, false, false, false]);
        assert_eq!(under_way.count(), 2);
        // Whoever ended by itself makes room.
        drop(places);
        let _fourth = under_way.enter(&activities[3]);
        assert_eq!(left(), [true, false, false, false]);
        drop(third);
        assert_eq!(under_way.count(), 1);
    }
}
