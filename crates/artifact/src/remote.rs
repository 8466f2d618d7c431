//! Components that are elsewhere: in a registry, or behind a URL.
//!
//! Whatever comes from there is bounded, held against its digest, and kept beside the app, so that nothing is asked for
//! twice and a second start needs no network.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use cumulet_spec::id::Digest;
use cumulet_spec::manifest::Source;
use cumulet_spec::reference::Reference;
use reqwest::Url;
use thiserror::Error;

use crate::component::{ComponentError, ComponentErrorKind, ComponentStore};
use crate::credential::Credentials;
use crate::folder::StoreError;
use crate::oci::{Content, Pulled, Pushed, Registries, Shape, read_artifact};
use crate::source::COMPONENT_BYTES_MAX;
use crate::transfer::{OnTransferred, Size, TransferBounds, TransferError, TransferErrorKind, Transport};

/// Where fetched components are kept, beside an app's manifest.
pub const FETCHED_FOLDER: &str = ".cumulet/fetched";

/// The way to components that are elsewhere.
#[derive(Debug, Clone)]
pub struct Remote {
    registries: Registries,
}

/// What was fetched for an app, by digest, as `.cumulet/fetched/components/ab/cdef….wasm` beside its manifest.
#[derive(Debug)]
pub struct FetchedStore {
    store: ComponentStore,
}

/// A component that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedComponent {
    /// Its bytes.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: Digest,
    /// The file that holds them.
    pub path: PathBuf,
}

/// A component could not be fetched.
#[derive(Debug, Error)]
pub enum FetchError {
    /// It did not come.
    #[error("it could not be fetched from {0}")]
    Transfer(Box<str>, #[source] TransferErrorKind),
    /// It cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be kept, or not be read again.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The work was lost.
    #[error("fetching was interrupted; try again")]
    Interrupted,
}

impl From<TransferError> for FetchError {
    fn from(error: TransferError) -> Self {
        Self::Transfer(error.place.into(), error.kind)
    }
}

impl Remote {
    /// The way there, for whoever has these credentials.
    ///
    /// # Errors
    /// When this machine's root certificates cannot be had.
    pub fn new(credentials: Credentials, bounds: TransferBounds) -> Result<Self, TransferError> {
        Ok(Self { registries: Registries { transport: Transport::new(bounds)?, credentials } })
    }

    /// Fetches the component that a manifest names, and keeps it. `None` for one that is a file anyway.
    ///
    /// A digest that is an artifact's manifest's leads to the component that it names.
    ///
    /// # Errors
    /// When it cannot be had or kept, or is not what the digest says.
    ///
    /// # Cancel safety
    /// Whatever is dropped leaves the store as it was, or with the whole component.
    pub async fn fetch(
        &self,
        source: &Source,
        base_dir: &Path,
        progress: OnTransferred<'_>,
    ) -> Result<Option<FetchedComponent>, FetchError> {
        let (content, digest) = match source {
            Source::File(_) => return Ok(None),
            Source::Oci { reference, digest } => {
                let work = self.registries.content((reference, *digest), progress);
                (self.registries.transport.within(&reference.to_string(), work).await?, digest)
            }
            Source::Url { url, digest } => (self.behind(url, *digest, progress).await?, digest),
        };
        let (base_dir, digest) = (base_dir.to_owned(), *digest);
        let kept = tokio::task::spawn_blocking(move || {
            let store = FetchedStore::open(&base_dir)?;
            store.keep(content)?;
            store.get(&digest)
        });
        Ok(Some(kept.await.map_err(|_lost| FetchError::Interrupted)??))
    }

    async fn behind(&self, url: &str, digest: Digest, progress: OnTransferred<'_>) -> Result<Content, TransferError> {
        let transport = &self.registries.transport;
        let unfit = || TransferErrorKind::Unfit("it is not a URL");
        let url = Url::parse(url).map_err(|_unfit| TransferError { place: "source".to_owned(), kind: unfit() })?;
        let size = Size { max: COMPONENT_BYTES_MAX, exact: None };
        let work = transport.get(&url, (digest, size), progress);
        transport.within(url.host_str().unwrap_or_default(), work).await.map(Content::Component)
    }

    /// Pulls the component that a reference leads to.
    ///
    /// # Errors
    /// When it cannot be had, or is not what the registry says it is.
    pub async fn pull(&self, reference: &Reference, progress: OnTransferred<'_>) -> Result<Pulled, TransferError> {
        let work = self.registries.pull(reference, progress);
        self.registries.transport.within(&reference.to_string(), work).await
    }

    /// Pushes a component in the binary format. What the registry has already is not sent again.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn push(
        &self,
        reference: &Reference,
        component: (&Bytes, &Shape),
        progress: OnTransferred<'_>,
    ) -> Result<Pushed, TransferError> {
        let work = self.registries.push(reference, component, progress);
        self.registries.transport.within(&reference.to_string(), work).await
    }
}

impl FetchedStore {
    /// Opens the store beside a manifest, and makes it if it is not there.
    ///
    /// # Errors
    /// When its folder cannot be made or written, or is open to others.
    pub fn open(base_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { store: ComponentStore::open(&base_dir.join(FETCHED_FOLDER))? })
    }

    /// The store beside a manifest, if anything was ever fetched there.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn find(base_dir: &Path) -> Result<Option<Self>, StoreError> {
        if base_dir.join(FETCHED_FOLDER).is_dir() { Self::open(base_dir).map(Some) } else { Ok(None) }
    }

    /// The component of a digest, or of the artifact whose manifest has this digest. Its bytes are checked against it.
    ///
    /// # Errors
    /// When it was not fetched, is damaged, or cannot be read.
    pub fn get(&self, digest: &Digest) -> Result<FetchedComponent, FetchError> {
        let bytes = self.store.get(digest)?;
        let Some(layer) = read_artifact(&bytes) else { return Ok(self.fetched(bytes, *digest)) };
        let layer = layer.map_err(|kind| FetchError::Transfer(digest.to_string().into(), kind))?;
        Ok(self.fetched(self.store.get(&layer)?, layer))
    }

    /// The same where it may not have been fetched yet, or is damaged: then there is none, and it is to be fetched.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn lookup(&self, digest: &Digest) -> Result<Option<FetchedComponent>, FetchError> {
        match self.get(digest) {
            Err(FetchError::Component(ComponentError {
                kind: ComponentErrorKind::Missing | ComponentErrorKind::Damaged { .. },
                ..
            })) => Ok(None),
            got => got.map(Some),
        }
    }

    fn keep(&self, content: Content) -> Result<(), ComponentError> {
        match content {
            Content::Component(bytes) => self.store.put(&bytes).map(drop),
            // The manifest last: what is found by it is whole.
            Content::Artifact(manifest, bytes) => {
                self.store.put(&bytes)?;
                self.store.put(&manifest).map(drop)
            }
        }
    }

    fn fetched(&self, bytes: Vec<u8>, digest: Digest) -> FetchedComponent {
        FetchedComponent { bytes: bytes.into(), digest, path: self.store.path(&digest) }
    }
}
