//! Files that nothing is made of any more are removed: bytes of components, and what was compiled of them.

use super::Ship;
use crate::chain::chain;
use cumulet_artifact::{StoreError, StoredKey, Usage};
use cumulet_control::RegistryError;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// After how long without a revision a component that was sent is forgotten. Whoever uploads deploys within minutes.
const SENT_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long after its start a node sweeps first.
const FIRST_AFTER: Duration = Duration::from_secs(10 * 60);
/// How often it sweeps.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How soon it tries again where a deploy was in the way.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// Entries that said that a tenant has sent some bytes.
    pub blobs: u64,
}

/// A sweep came to no end.
#[derive(Debug, Error)]
pub enum SweepError {
    /// A deploy is being received.
    #[error("a deploy is being received; try again in a moment")]
    Busy,
    /// What is in use cannot be told.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A file cannot be removed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ship {
    /// Sweeps from time to time, until the node stops.
    pub(crate) fn keep_clean(self: &Arc<Self>) {
        let ship = Arc::clone(self);
        self.until_stopped(async move {
            let mut pause = FIRST_AFTER;
            loop {
                tokio::time::sleep(pause).await;
                pause = ship.sweep_now().await;
            }
        });
    }

    /// Returns when to sweep next.
    async fn sweep_now(self: &Arc<Self>) -> Duration {
        let ship = Arc::clone(self);
        let kept_us = u64::try_from(SENT_KEPT.as_micros()).unwrap_or(u64::MAX);
        let swept = tokio::task::spawn_blocking(move || ship.sweep(ship.now_us().saturating_sub(kept_us))).await;
        match swept {
            Ok(Ok(swept)) if swept == Swept::default() => EVERY,
            Ok(Ok(Swept { files, bytes, blobs })) => {
                tracing::info!(files, bytes, blobs, "files that nothing is made of were removed");
                EVERY
            }
            Ok(Err(SweepError::Busy)) | Err(_) => AGAIN_AFTER,
            Ok(Err(error)) => {
                tracing::error!(error = %chain(&error), "files that nothing is made of could not be removed");
                EVERY
            }
        }
    }

    /// Forgets what tenants sent before a time, in microseconds since the Unix epoch, and what no revision is made of; and
    /// removes the files that are left over. Deploys wait meanwhile.
    ///
    /// # Errors
    /// When a deploy is being received, the registry cannot be read, or a file not be removed; what is in use stays.
    pub(crate) fn sweep(&self, before_us: u64) -> Result<Swept, SweepError> {
        let workshop = &self.apps.workshop;
        let _alone = workshop.arrivals.try_write().map_err(|_arriving| SweepError::Busy)?;
        let in_use = self.apps.registry.sweep_blobs(before_us)?;
        let components = workshop.components.remove_unused(|digest| in_use.digests.contains(digest))?;
        // What an earlier release compiled is of no use to this one.
        let is_used = |key: &StoredKey<'_>| in_use.digests.contains(&key.digest) && workshop.is_current(key);
        let compiled = workshop.store.remove_unused(is_used)?;
        let Usage { files, bytes } = components;
        Ok(Swept { files: files + compiled.files, bytes: bytes + compiled.bytes, blobs: in_use.forgotten })
    }
}
