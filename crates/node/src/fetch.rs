//! What a manifest names elsewhere is brought beside it, once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cumulet_spec::id::{ComponentName, Digest};
use cumulet_spec::manifest::{Manifest, Source};
use thiserror::Error;

pub use cumulet_artifact::{
    Credentials, FetchError, FetchedStore, OnTransferred, Remote, TransferBounds, TransferError, TransferErrorKind,
    Transferred,
};

/// The files of what was fetched, by the digest that the manifest asks for.
pub type FetchedFiles = BTreeMap<Digest, PathBuf>;

/// A component of a manifest could not be fetched.
#[derive(Debug, Error)]
#[error("component `{component}` cannot be fetched")]
pub struct FetchComponentError {
    /// The component.
    pub component: ComponentName,
    /// What is wrong.
    #[source]
    pub kind: FetchError,
}

/// How far it is, for whoever waits.
#[derive(Debug, Clone, Copy)]
pub struct FetchStep<'a> {
    /// The component.
    pub component: &'a ComponentName,
    /// Where it comes from.
    pub from: &'a str,
    /// How much of it is there; `None` when it is asked for.
    pub transferred: Option<Transferred>,
}

/// Is told of each step.
pub type OnFetchStep<'a> = &'a (dyn Fn(FetchStep<'_>) + Send + Sync);

/// Fetches every component of a manifest that is elsewhere and was not fetched before. Without any, nothing is asked,
/// made or written.
///
/// # Errors
/// At the first that cannot be had.
pub async fn fetch(
    manifest: &Manifest,
    base_dir: &Path,
    credentials: &Credentials,
    progress: OnFetchStep<'_>,
) -> Result<FetchedFiles, FetchComponentError> {
    let mut files = FetchedFiles::new();
    for (component, entry) in &manifest.components {
        let Some((from, digest)) = place(&entry.source) else { continue };
        let fail = |kind| FetchComponentError { component: component.clone(), kind };
        if let Some(path) = kept(base_dir, digest).await.map_err(fail)? {
            files.insert(digest, path);
            continue;
        }
        let step = |transferred| progress(FetchStep { component, from: &from, transferred });
        step(None);
        let remote = Remote::new(credentials.clone(), TransferBounds::default()).map_err(|error| fail(error.into()))?;
        let told = |transferred| step(Some(transferred));
        if let Some(fetched) = remote.fetch(&entry.source, base_dir, &told).await.map_err(fail)? {
            files.insert(digest, fetched.path);
        }
    }
    Ok(files)
}

/// Where a component comes from, and what it must be; `None` for a file.
fn place(source: &Source) -> Option<(String, Digest)> {
    match source {
        Source::File(_) => None,
        Source::Oci { reference, digest } => Some((reference.to_string(), *digest)),
        // What comes after `?` may stand for a password.
        Source::Url { url, digest } => Some((url.split(['?', '#']).next().unwrap_or_default().to_owned(), *digest)),
    }
}

async fn kept(base_dir: &Path, digest: Digest) -> Result<Option<PathBuf>, FetchError> {
    let base_dir = base_dir.to_owned();
    let found = tokio::task::spawn_blocking(move || match FetchedStore::find(&base_dir)? {
        Some(store) => Ok(store.lookup(&digest)?.map(|found| found.path)),
        None => Ok(None),
    });
    found.await.map_err(|_lost| FetchError::Interrupted)?
}
