//! What of the queue of events one app may take.
//!
//! Whoever floods the queue must not crowd out others. An app may hold as much as a part of what is free at that moment:
//! alone it gets much, among many that flood each gets little, and some room stays free for those who hold nothing.

use cumulet_spec::id::AppId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An app may hold this part of what is free, for what its guests print. The ends of its invocations may take all of it.
pub(super) const OUTPUT_PART: u64 = 4;
/// Shares are looked through for those that nobody has any more when there are this many more than there were.
const PRUNE_AFTER: usize = 256;

/// What an app has in the queue, and what was dropped of it.
#[derive(Debug, Default)]
pub(crate) struct Share {
    events: AtomicU64,
    bytes: AtomicU64,
    /// Since it was last told.
    dropped: AtomicU64,
}

/// An amount of events, or of bytes, and how much of it may be in the queue at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) max: u64,
    pub(super) used: u64,
    /// The part of what is free that an app may hold.
    pub(super) part: u64,
}

impl Room {
    /// Whether an app that holds so much may have `more`.
    fn admits(self, held: u64, more: u64) -> bool {
        held.saturating_add(more) <= self.max.saturating_sub(self.used) / self.part
    }
}

impl Share {
    /// Takes a place for an event.
    pub(super) fn take_event(&self, room: Room) -> bool {
        let is_admitted = room.admits(self.events.fetch_add(1, Ordering::Relaxed), 1);
        if !is_admitted {
            self.give_event();
        }
        is_admitted
    }

    /// Takes room for bytes of output.
    pub(super) fn take_bytes(&self, bytes: u64, room: Room) -> bool {
        let is_admitted = room.admits(self.bytes.fetch_add(bytes, Ordering::Relaxed), bytes);
        if !is_admitted {
            self.give_bytes(bytes);
        }
        is_admitted
    }

    pub(super) fn give_event(&self) {
        self.events.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn give_bytes(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts a piece of output, or an event, that was dropped.
    pub(super) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether nobody but the list of shares has it, and everything is told.
    fn is_over(share: &Arc<Self>) -> bool {
        Arc::strong_count(share) == 1 && share.dropped.load(Ordering::Relaxed) == 0
    }

    /// What was dropped since the last call.
    pub(super) fn take_dropped(&self) -> u64 {
        if self.dropped.load(Ordering::Relaxed) == 0 { 0 } else { self.dropped.swap(0, Ordering::Relaxed) }
    }
}

/// The shares of the apps that are loaded, and of some that were: the components and revisions of an app have one together.
#[derive(Debug, Default)]
pub(super) struct Shares {
    apps: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_app: HashMap<AppId, Arc<Share>>,
    prune_at: usize,
}

impl Shares {
    pub(super) fn of(&self, app: &AppId) -> Arc<Share> {
        let mut held = self.apps.lock();
        if let Some(share) = held.by_app.get(app) {
            return Arc::clone(share);
        }
        if held.by_app.len() >= held.prune_at {
            held.by_app.retain(|_, share| !Share::is_over(share));
            held.prune_at = held.by_app.len() * 2 + PRUNE_AFTER;
        }
        let share = Arc::<Share>::default();
        held.by_app.insert(app.clone(), Arc::clone(&share));
        share
    }

    /// What was dropped and not told, by app.
    pub(super) fn take_dropped(&self) -> Vec<(AppId, u64)> {
        let held = self.apps.lock();
        let dropped = held.by_app.iter().map(|(app, share)| (app, share.take_dropped()));
        dropped.filter(|(_, count)| *count > 0).map(|(app, count)| (app.clone(), count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_nothing_always_gets_in_beside_those_who_flood() {
        const MAX: u64 = 16_384;
        for flooders in [1_usize, 2, 16, 256, 1_000] {
            let shares: Vec<Share> = (0..flooders).map(|_| Share::default()).collect();
            let mut used = 0;
            loop {
                let room = |used| Room { max: MAX, used, part: OUTPUT_PART };
                let taken = shares.iter().filter(|share| {
                    let is_taken = share.take_event(room(used));
                    used += u64::from(is_taken);
                    is_taken
                });
                if taken.count() == 0 {
                    break;
                }
            }
            let quiet = Share::default();
            assert!(quiet.take_event(Room { max: MAX, used, part: OUTPUT_PART }), "{flooders} flooders left {used}");
            let held: Vec<u64> = shares.iter().map(|share| share.events.load(Ordering::Relaxed)).collect();
            assert!(held.iter().max().unwrap() - held.iter().min().unwrap() <= 1, "equal shares: {held:?}");
        }
    }

    #[test]
    fn an_app_has_one_share_for_as_long_as_it_is_loaded() {
        let shares = Shares::default();
        let app = |name: String| -> AppId { name.parse().unwrap() };
        let first = shares.of(&app("shop".into()));
        assert!(Arc::ptr_eq(&first, &shares.of(&app("shop".into()))));
        first.drop_one();
        assert_eq!(shares.take_dropped(), [(app("shop".into()), 1)]);
        assert!(shares.take_dropped().is_empty());
        for number in 0..10 * PRUNE_AFTER {
            drop(shares.of(&app(format!("app-{number}"))));
        }
        assert!(shares.apps.lock().by_app.len() <= 2 * PRUNE_AFTER + 2);
        assert!(Arc::ptr_eq(&first, &shares.of(&app("shop".into()))));
    }
}
