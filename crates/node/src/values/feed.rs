//! Files that configuration values are read from, watched: a change takes effect without a restart.

use super::{Sources, ValueError};
use cumulet_capability::LiveConfig;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

/// Without a further notice for this long, a change is complete.
const QUIET: Duration = Duration::from_millis(50);

/// Bursts that are waited for before the files are read although their folder does not come to rest.
const BURSTS_MAX: usize = 40;

/// Keeps the values of one component current until it is dropped.
#[derive(Debug)]
pub(crate) struct Feed {
    _watcher: RecommendedWatcher,
    _task: AbortOnDropHandle<()>,
}

impl Feed {
    /// Watches the files of `sources`; must be called on a runtime.
    pub(super) fn start(sources: Sources, live: Arc<LiveConfig>) -> Result<Self, ValueError> {
        let changed = Arc::new(Notify::new());
        let told = Arc::clone(&changed);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if !event.is_ok_and(|event| matches!(event.kind, notify::EventKind::Access(_))) {
                told.notify_one();
            }
        });
        let mut watcher = watcher.map_err(ValueError::Watch)?;
        // Folders, because editors and rollouts replace files rather than write into them.
        let mut folders: Vec<PathBuf> = sources.files().filter_map(|file| file.parent().map(Path::to_owned)).collect();
        folders.sort();
        folders.dedup();
        for folder in &folders {
            watcher.watch(folder, RecursiveMode::NonRecursive).map_err(ValueError::Watch)?;
        }
        let task = tokio::spawn(follow(Arc::new(sources), live, changed));
        Ok(Self { _watcher: watcher, _task: AbortOnDropHandle::new(task) })
    }
}

async fn follow(sources: Arc<Sources>, live: Arc<LiveConfig>, changed: Arc<Notify>) {
    loop {
        changed.notified().await;
        let mut bursts = 0;
        while bursts < BURSTS_MAX && tokio::time::timeout(QUIET, changed.notified()).await.is_ok() {
            bursts += 1;
        }
        let reading = Arc::clone(&sources);
        match tokio::task::spawn_blocking(move || reading.read()).await {
            Ok(Ok(values)) if values == *live.now() => {}
            Ok(Ok(values)) => {
                live.replace(values);
                tracing::info!("the configuration changed");
            }
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the configuration stays as it was");
            }
            // The runtime is ending.
            Err(_) => return,
        }
    }
}
