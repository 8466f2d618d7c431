//! Watches the files that an app is made of, and says what has to be done again when they change.
//!
//! The system's notices are hints: what counts is whether the content of a file is another one than when it was last
//! used. So a build that writes the same bytes again, or an editor that only touches a file, sets nothing off.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cumulet_spec::id::ComponentName;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::Notify;

pub use crate::watch::plan::{Place, Plan, PlanError};

/// Without a further notice for this long, a change is complete: editors and compilers write in bursts.
const QUIET: Duration = Duration::from_millis(80);

/// Bursts that are waited for before a change is reported although the files do not come to rest.
const BURSTS_MAX: usize = 50;

/// Paths that wait to be looked at; with more, everything counts as changed.
const PATHS_MAX: usize = 4096;

/// What has to be done again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The manifest is another one.
    pub manifest: bool,
    /// Components whose sources are others: build, then load.
    pub build: BTreeSet<ComponentName>,
    /// Components whose file is another one: load.
    pub load: BTreeSet<ComponentName>,
}

impl Change {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.manifest && self.build.is_empty() && self.load.is_empty()
    }
}

/// Files that cannot be watched.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The system gives no notices.
    #[error("cannot watch files")]
    Start(#[source] notify::Error),
    /// One folder cannot be watched.
    #[error("cannot watch {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: notify::Error,
    },
    /// A pattern or a folder of the manifest is wrong.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A watch over the files of one manifest. Ends when it is dropped.
#[derive(Debug)]
pub struct Watch {
    plan: Plan,
    inbox: Arc<Inbox>,
    watcher: RecommendedWatcher,
    /// The folders that the watcher reports about.
    folders: BTreeMap<PathBuf, RecursiveMode>,
}

/// What the system reported and nobody has looked at yet.
#[derive(Debug, Default)]
struct Inbox {
    waiting: Mutex<Waiting>,
    notify: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    paths: BTreeSet<PathBuf>,
    /// Notices were lost, so that any file may have changed.
    lost: bool,
}

impl Watch {
    /// Starts to watch all that `plan` names.
    ///
    /// # Errors
    /// When the system gives no notices, or not about one of the folders.
    pub fn start(plan: Plan) -> Result<Self, WatchError> {
        let inbox = Arc::new(Inbox::default());
        let receiver = Arc::clone(&inbox);
        let watcher = notify::recommended_watcher(move |event| receiver.receive(event)).map_err(WatchError::Start)?;
        let mut watch = Self { plan, inbox, watcher, folders: BTreeMap::new() };
        watch.add_folders()?;
        Ok(watch)
    }

    /// Waits until something has changed and come to rest.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: what was reported waits for the next call.
    pub async fn changed(&mut self) -> Change {
        loop {
            if self.inbox.is_empty() {
                self.inbox.notify.notified().await;
            }
            let mut bursts = 0;
            while bursts < BURSTS_MAX && tokio::time::timeout(QUIET, self.inbox.notify.notified()).await.is_ok() {
                bursts += 1;
            }
            let waiting = std::mem::take(&mut *self.inbox.waiting.lock());
            let change = if waiting.lost { self.plan.everything() } else { self.plan.change(&waiting.paths) };
            if !change.is_empty() {
                return change;
            }
        }
    }

    /// Takes the components' files as they are now for known. To be called between a build and the load that follows:
    /// what the build itself wrote is then no change, and what is written later is one. Folders that the build made are
    /// watched from now on.
    ///
    /// # Errors
    /// When one of those folders cannot be watched.
    pub fn acknowledge(&mut self) -> Result<(), WatchError> {
        self.plan.acknowledge();
        self.add_folders()
    }

    fn add_folders(&mut self) -> Result<(), WatchError> {
        for (path, mode) in self.plan.folders() {
            if self.folders.get(&path) != Some(&mode) {
                self.watcher.watch(&path, mode).map_err(|source| WatchError::Folder { path: path.clone(), source })?;
                self.folders.insert(path, mode);
            }
        }
        Ok(())
    }
}

impl Inbox {
    fn is_empty(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.paths.is_empty() && !waiting.lost
    }

    fn receive(&self, event: notify::Result<notify::Event>) {
        let mut waiting = self.waiting.lock();
        match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
            Ok(event) if !event.need_rescan() && waiting.paths.len() < PATHS_MAX => waiting.paths.extend(event.paths),
            Ok(_) | Err(_) => waiting.lost = true,
        }
        drop(waiting);
        self.notify.notify_one();
    }
}
