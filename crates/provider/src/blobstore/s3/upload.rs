//! Writing an object: at once if it is small, in parts if it is not.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt as _};
use tokio::runtime::Handle;

use super::failure::failed;
use crate::blobstore::ContainerError;
use crate::blobstore::intake::Intake;

/// The size of each part but the last, in bytes: the least that S3 takes. One part is on its way while the next is filled,
/// so that a write holds two of them.
const PART_BYTES: usize = 5 << 20;
/// How long giving up an upload may take.
const ABORT_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes an object.
///
/// # Cancel safety
/// Dropping the future aborts the upload, in the background.
pub(super) async fn write(store: &AmazonS3, key: &Path, mut body: Intake) -> Result<(), ContainerError> {
    let start = body.piece(PART_BYTES).await?;
    if start.len() < PART_BYTES {
        return store.put(key, start.into()).await.map(drop).map_err(|error| failed(None, &error));
    }
    let parts = store.put_multipart(key).await.map_err(|error| failed(None, &error))?;
    let mut upload = Upload { parts: Some(parts) };
    match upload.send(start, body).await {
        Ok(()) => {
            upload.parts = None;
            Ok(())
        }
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

/// An upload that is aborted unless it was completed.
struct Upload {
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    async fn send(&mut self, start: Bytes, mut body: Intake) -> Result<(), ContainerError> {
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        let mut part = start;
        while !part.is_empty() {
            let sent = parts.put_part(part.into());
            let sent = async { sent.await.map_err(|error| failed(None, &error)) };
            ((), part) = future::try_join(sent, body.piece(PART_BYTES)).await?;
        }
        parts.complete().await.map(drop).map_err(|error| failed(None, &error))
    }

    async fn abort(&mut self) {
        if let Some(parts) = self.parts.take() {
            abort(parts).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Not in a set of tasks: it is bounded in time, and nobody waits for it.
        if let (Some(parts), Ok(runtime)) = (self.parts.take(), Handle::try_current()) {
            drop(runtime.spawn(abort(parts)));
        }
    }
}

async fn abort(mut parts: Box<dyn MultipartUpload>) {
    match tokio::time::timeout(ABORT_TIMEOUT, parts.abort()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %failed(None, &error), "an upload in parts is left in its bucket"),
        Err(_) => tracing::warn!("an upload in parts is left in its bucket: the server does not answer"),
    }
}
