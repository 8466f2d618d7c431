//! What one tenant has waiting: round by app, in order within an app.

use std::collections::{HashMap, VecDeque};

/// Items that wait, by app. An app is here only while it has some.
#[derive(Debug)]
pub(super) struct Rotation<T> {
    /// Apps with something waiting, in the order of their turns.
    order: VecDeque<u64>,
    /// What each of them has waiting.
    lanes: HashMap<u64, VecDeque<T>>,
}

impl<T> Default for Rotation<T> {
    fn default() -> Self {
        Self { order: VecDeque::new(), lanes: HashMap::new() }
    }
}

impl<T> Rotation<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Puts an item at the end of its app's lane; an app that had none waits behind the others.
    pub(super) fn push(&mut self, app: u64, item: T) {
        let lane = self.lanes.entry(app).or_default();
        if lane.is_empty() {
            self.order.push_back(app);
        }
        lane.push_back(item);
    }

    /// The next item, and whose it is.
    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        let app = self.order.pop_front()?;
        let lane = self.lanes.get_mut(&app)?;
        let item = lane.pop_front();
        if lane.is_empty() {
            self.lanes.remove(&app);
        } else {
            self.order.push_back(app);
        }
        item.map(|item| (app, item))
    }

    /// Everything that waits, in no order that means anything.
    pub(super) fn into_items(self) -> impl Iterator<Item = T> {
        self.lanes.into_values().flatten()
    }
}
