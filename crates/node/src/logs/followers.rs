//! Who waits for an app's next entries, in this process.

use cumulet_spec::id::AppId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Apps whose logs can be followed at once; whoever follows one more looks from time to time instead.
pub(super) const FOLLOWED_MAX: usize = 1_024;

/// The logs that are followed.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    apps: Mutex<HashMap<AppId, Arc<Notify>>>,
    /// How many there are: the writer takes no lock where there are none.
    count: AtomicUsize,
}

/// One who waits. Dropping it ends that.
#[derive(Debug)]
#[must_use]
pub(super) struct Follower {
    followers: Arc<Followers>,
    app: AppId,
    /// There until it is dropped.
    notify: Option<Arc<Notify>>,
}

impl Followers {
    /// Nothing when too many apps are followed.
    pub(super) fn join(self: &Arc<Self>, app: &AppId) -> Option<Follower> {
        let mut apps = self.apps.lock();
        if !apps.contains_key(app) && apps.len() >= FOLLOWED_MAX {
            return None;
        }
        let notify = Arc::clone(apps.entry(app.clone()).or_default());
        self.count.store(apps.len(), Ordering::SeqCst);
        Some(Follower { followers: Arc::clone(self), app: app.clone(), notify: Some(notify) })
    }

    /// Tells those who follow an app that it has more entries.
    pub(super) fn tell(&self, app: &AppId) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        if let Some(notify) = self.apps.lock().get(app) {
            notify.notify_waiters();
        }
    }
}

impl Follower {
    /// What to wait on.
    pub(super) fn notify(&self) -> Option<&Notify> {
        self.notify.as_deref()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut apps = self.followers.apps.lock();
        self.notify = None;
        if apps.get(&self.app).is_some_and(|notify| Arc::strong_count(notify) == 1) {
            apps.remove(&self.app);
        }
        self.followers.count.store(apps.len(), Ordering::SeqCst);
    }
}
