//! An OCI registry: what is pulled from it and pushed to it, by the OCI distribution specification 1.1.

mod challenge;
mod layout;
mod session;
mod upload;

use bytes::Bytes;
use cumulet_spec::id::Digest;
use cumulet_spec::reference::Reference;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, StatusCode};

use crate::credential::Credentials;
use crate::source::COMPONENT_BYTES_MAX;
use crate::transfer::{OnTransferred, Size, TransferError, TransferErrorKind, Transport, Tries, check_digest};

pub use layout::Shape;

use layout::{Descriptor, MANIFEST_BYTES_MAX, MANIFEST_TYPE, Manifest};
use session::{Scope, Session};

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The component's bytes.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: Digest,
    /// The digest of the artifact's manifest.
    pub manifest: Digest,
}

/// What was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the component's bytes.
    pub digest: Digest,
    /// The digest of the artifact's manifest.
    pub manifest: Digest,
    /// Bytes that were sent: fewer where the registry had some already.
    pub sent: u64,
}

/// What a digest stands for in a repository.
#[derive(Debug)]
pub(crate) enum Content {
    /// The component itself.
    Component(Vec<u8>),
    /// The manifest of an artifact, with its bytes as they are.
    Artifact(Vec<u8>, Vec<u8>),
}

/// Registries, with whoever we are to them.
#[derive(Debug, Clone)]
pub(crate) struct Registries {
    pub(crate) transport: Transport,
    pub(crate) credentials: Credentials,
}

impl Registries {
    /// The component that a tag or the digest of a manifest leads to.
    pub(crate) async fn pull(
        &self,
        reference: &Reference,
        progress: OnTransferred<'_>,
    ) -> Result<Pulled, TransferError> {
        let mut session = Session::new(self, reference, Scope::Pull)?;
        let by = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.to_owned(),
            (None, None) => return Err(session.fail(TransferErrorKind::Unnamed)),
        };
        let text = session.manifest(&by, reference.digest()).await?;
        let text = text.ok_or_else(|| session.fail(missing(&by)))?;
        let layer =
            Manifest::read(&text).and_then(|manifest| manifest.component()).map_err(|kind| session.fail(kind))?;
        let bytes = session.layer(&layer, progress).await?;
        Ok(Pulled { bytes: bytes.into(), digest: layer.digest, manifest: Digest::of(&text) })
    }

    /// What has this digest in the repository of a reference, whatever its tag stands for by now: the bytes of a
    /// component, or the manifest of an artifact.
    pub(crate) async fn content(
        &self,
        (reference, digest): (&Reference, Digest),
        progress: OnTransferred<'_>,
    ) -> Result<Content, TransferError> {
        let mut session = Session::new(self, reference, Scope::Pull)?;
        let size = Size { max: COMPONENT_BYTES_MAX, exact: None };
        if let Some(bytes) = session.blob((digest, size), progress).await? {
            // Some registries give out a manifest as a blob, too.
            return match layout::is_manifest(&bytes) {
                true => session.artifact(bytes, progress).await,
                false => Ok(Content::Component(bytes)),
            };
        }
        if let Some(text) = session.manifest(&digest.to_string(), Some(digest)).await? {
            return session.artifact(text, progress).await;
        }
        Err(session.fail(TransferErrorKind::Missing(format!(
            "the registry has neither a component nor a manifest with the digest {digest} there; correct the reference or \
             the digest, or push it"
        ))))
    }

    /// Keeps a component in a registry, by its tag, or by nothing but its digest where there is no tag.
    pub(crate) async fn push(
        &self,
        reference: &Reference,
        (bytes, shape): (&Bytes, &Shape),
        progress: OnTransferred<'_>,
    ) -> Result<Pushed, TransferError> {
        let mut session = Session::new(self, reference, Scope::Push)?;
        if reference.digest().is_some() {
            let text = "the digest follows from what is pushed; name a tag alone";
            return Err(session.fail(TransferErrorKind::Unfit(text)));
        }
        let layer = Descriptor::of(layout::LAYER_TYPE, bytes);
        let config = Bytes::from(shape.config(layer.digest));
        let text = Bytes::from(Manifest::of(Descriptor::of(layout::CONFIG_TYPE, &config), layer.clone()).to_text());
        let manifest = Digest::of(&text);
        let mut sent = upload::blob(&mut session, (layer.digest, bytes), progress).await?;
        sent += upload::blob(&mut session, (Digest::of(&config), &config), &|_| {}).await?;
        let by = reference.tag().map_or_else(|| manifest.to_string(), str::to_owned);
        session.put_manifest(&by, text).await?;
        Ok(Pushed { digest: layer.digest, manifest, sent })
    }
}

impl Session<'_> {
    /// The manifest under a tag or a digest; `None` when there is none.
    async fn manifest(&mut self, by: &str, expected: Option<Digest>) -> Result<Option<Vec<u8>>, TransferError> {
        let mut call = self.call(Method::GET, &["manifests", by])?;
        call.headers.insert(ACCEPT, HeaderValue::from_static(layout::ACCEPTED));
        let url = call.url.clone();
        let size = Size { max: MANIFEST_BYTES_MAX, exact: None };
        let mut tries = Tries::new(self.transport().bounds);
        let bytes = loop {
            let got = async {
                let response = self.send(call.clone()).await?;
                self.body(response, size, &|_| {}).await
            };
            match got.await {
                Err(error) if tries.another(&error).await => {}
                got => break got?,
            }
        };
        match (bytes, expected) {
            (Some(bytes), Some(expected)) => check_digest(&url, bytes, expected).map(Some),
            (bytes, _) => Ok(bytes),
        }
    }

    /// A blob, verified; `None` when there is none.
    async fn blob(
        &mut self,
        (digest, size): (Digest, Size),
        progress: OnTransferred<'_>,
    ) -> Result<Option<Vec<u8>>, TransferError> {
        let call = self.call(Method::GET, &["blobs", &digest.to_string()])?;
        let url = call.url.clone();
        let mut tries = Tries::new(self.transport().bounds);
        let bytes = loop {
            let got = async {
                let response = self.send(call.clone()).await?;
                self.body(response, size, progress).await
            };
            match got.await {
                Err(error) if tries.another(&error).await => {}
                got => break got?,
            }
        };
        bytes.map(|bytes| check_digest(&url, bytes, digest)).transpose()
    }

    /// The blob that a manifest names.
    async fn layer(&mut self, layer: &Descriptor, progress: OnTransferred<'_>) -> Result<Vec<u8>, TransferError> {
        if layer.size > COMPONENT_BYTES_MAX {
            return Err(self.fail(TransferErrorKind::TooLarge { max: COMPONENT_BYTES_MAX }));
        }
        let size = Size { max: layer.size, exact: Some(layer.size) };
        let bytes = self.blob((layer.digest, size), progress).await?;
        bytes.ok_or_else(|| self.fail(missing(&layer.digest.to_string())))
    }

    async fn artifact(&mut self, text: Vec<u8>, progress: OnTransferred<'_>) -> Result<Content, TransferError> {
        let layer = Manifest::read(&text).and_then(|manifest| manifest.component()).map_err(|kind| self.fail(kind))?;
        let bytes = self.layer(&layer, progress).await?;
        Ok(Content::Artifact(text, bytes))
    }

    async fn put_manifest(&mut self, by: &str, text: Bytes) -> Result<(), TransferError> {
        let mut call = self.call(Method::PUT, &["manifests", by])?;
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static(MANIFEST_TYPE));
        call.body = text;
        let mut tries = Tries::new(self.transport().bounds);
        loop {
            // The same bytes under the same name: asking twice is asking once.
            match self.send_for(call.clone(), StatusCode::CREATED).await {
                Err(error) if tries.another(&error).await => {}
                put => return put.map(drop),
            }
        }
    }

    /// The body of an answer; `None` where there is nothing of that name.
    async fn body(
        &self,
        response: Response,
        size: Size,
        progress: OnTransferred<'_>,
    ) -> Result<Option<Vec<u8>>, TransferError> {
        match response.status() {
            StatusCode::OK => self.transport().read(response, size, progress).await.map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.transport().refusal(response).await),
        }
    }
}

/// The digest of the component that a manifest leads to; `None` where the bytes are no manifest.
pub(crate) fn read_artifact(bytes: &[u8]) -> Option<Result<Digest, TransferErrorKind>> {
    let read = || Ok(Manifest::read(bytes)?.component()?.digest);
    layout::is_manifest(bytes).then(read)
}

fn missing(what: &str) -> TransferErrorKind {
    TransferErrorKind::Missing(format!("the registry has no {what} there; correct the reference, or push it"))
}
