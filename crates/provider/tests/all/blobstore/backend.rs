//! A container on each backend, with what can be known about it from outside.

use std::sync::Arc;
use std::time::Duration;

use cumulet_provider::blobstore::{self, Container};
use tempfile::TempDir;

use super::bodies::files;
use super::server::Server;

/// The bound of [`Backend::small`]: more than one part of an upload.
pub(crate) const SMALL_BYTES_MAX: u64 = 6 << 20;

/// A container that is empty at first.
pub(crate) struct Backend {
    pub(crate) container: Arc<dyn Container>,
    /// The same container with a bound of [`SMALL_BYTES_MAX`].
    pub(crate) small: Arc<dyn Container>,
    place: Place,
}

enum Place {
    Folder(TempDir),
    S3(Server),
}

impl Backend {
    pub(crate) fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/container");
        let container = blobstore::folder::open(&path).unwrap();
        let small = blobstore::folder::open_at_most(&path, SMALL_BYTES_MAX).unwrap();
        Self { container, small, place: Place::Folder(folder) }
    }

    pub(crate) async fn s3() -> Self {
        let server = Server::start().await;
        let url = server.url("some/prefix");
        let container = blobstore::s3::open(&url).unwrap();
        let small = blobstore::s3::open_at_most(&url, SMALL_BYTES_MAX).unwrap();
        Self { container, small, place: Place::S3(server) }
    }

    /// Whether every name can be kept. The server of these tests makes paths of keys, as some servers do: a part of a
    /// name has at most 255 bytes, and `a` and `a/b` exclude each other.
    pub(crate) fn keeps_every_name(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    /// Waits until nothing is left of writes that were given up.
    pub(crate) async fn wait_until_tidy(&self) {
        const PATIENCE: u32 = 500;
        for _ in 0..PATIENCE {
            if self.leftovers() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} files are left of writes that were given up", self.leftovers());
    }

    fn leftovers(&self) -> usize {
        match &self.place {
            Place::Folder(folder) => files(&folder.path().join("deep/container/staging")).len(),
            Place::S3(server) => server.open_uploads(),
        }
    }
}
