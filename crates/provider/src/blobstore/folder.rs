//! Containers in local folders.
//!
//! A container is one folder:
//!
//! | path | holds |
//! | --- | --- |
//! | `format` | the version of all this; its time is when the container was made |
//! | `objects/` | a file for each object, see [`file_name`] |
//! | `staging/` | objects on their way, see [`staged`] |
//!
//! `object_store` has a backend for folders too, which can sync. It makes folders of the slashes in names, so that `a` and
//! `a/b` exclude each other and a part of a name has at most 255 bytes; it follows symbolic links, and it does not list in
//! order. This backend keeps objects flat: a name can only ever be one file directly in `objects/`, opened by a handle of
//! that folder and never through a link, so that no name and no planted link leads out of it.
//!
//! What is acknowledged is synced: the file before it gets its name, the folder after. Several processes may use one
//! folder. The cost of being flat is that each page of a listing reads the names of the whole folder.

mod file_name;
mod listing;
mod object;
mod root;
mod staged;

use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use self::file_name::FileName;
use self::object::Object;
use self::root::Root;
use self::staged::Staged;
use super::intake::Intake;
use super::{
    Chunks, Container, ContainerError, ContainerInfo, NamePage, OBJECT_BYTES_MAX, ObjectInfo, OpenError, Reading, name,
};

/// What is written with one call of the system, in bytes.
const PIECE_BYTES: usize = 1 << 20;

/// Opens a container in a folder, which is made if it is missing, readable for this user alone. What a process that
/// ended left half written is removed.
///
/// # Errors
/// When the folder cannot be used, or holds other things than a container.
pub fn open(path: &Path) -> Result<Arc<dyn Container>, OpenError> {
    open_at_most(path, OBJECT_BYTES_MAX)
}

/// As [`open`], with a bound of the operator's own on the size of an object, in bytes.
///
/// # Errors
/// As [`open`].
pub fn open_at_most(path: &Path, object_bytes_max: u64) -> Result<Arc<dyn Container>, OpenError> {
    let root = Root::open(path)?;
    Ok(Arc::new(Folder { root: Arc::new(root), object_bytes_max: object_bytes_max.min(OBJECT_BYTES_MAX) }))
}

#[derive(Debug)]
struct Folder {
    root: Arc<Root>,
    object_bytes_max: u64,
}

impl Folder {
    /// Opens an object, or says that there is none.
    async fn find(&self, name: String) -> Result<Object, ContainerError> {
        let file = FileName::of(&name)?;
        let root = Arc::clone(&self.root);
        blocking(move || Object::open(&root, &file)).await?.ok_or(ContainerError::Missing(name))
    }
}

#[async_trait]
impl Container for Folder {
    async fn info(&self) -> Result<ContainerInfo, ContainerError> {
        let root = Arc::clone(&self.root);
        blocking(move || root.created_at_s()).await.map(|created_at_s| ContainerInfo { created_at_s })
    }

    async fn read(&self, name: String, first: u64, last: u64) -> Result<Reading, ContainerError> {
        self.find(name).await?.read(first, last)
    }

    async fn write(&self, name: String, body: Chunks) -> Result<(), ContainerError> {
        let file = FileName::of(&name)?;
        let mut body = Intake::new(body, self.object_bytes_max);
        let root = Arc::clone(&self.root);
        let header = file.header();
        let mut staged = blocking(move || Staged::begin(root, &header)).await?;
        loop {
            let piece = body.piece(PIECE_BYTES).await?;
            if piece.is_empty() {
                break;
            }
            staged = blocking(move || staged.write(&piece)).await?;
        }
        blocking(move || staged.publish_object(&file)).await
    }

    async fn list(&self, after: Option<String>) -> Result<NamePage, ContainerError> {
        name::check_after(after.as_deref())?;
        let root = Arc::clone(&self.root);
        blocking(move || listing::page(&root, after.as_deref())).await
    }

    async fn object(&self, name: String) -> Result<ObjectInfo, ContainerError> {
        Ok(self.find(name).await?.info())
    }

    async fn delete(&self, names: Vec<String>) -> Result<(), ContainerError> {
        let files = names.iter().map(|name| FileName::of(name)).collect::<Result<Vec<_>, _>>()?;
        let root = Arc::clone(&self.root);
        blocking(move || root.remove_objects(&files)).await
    }
}

/// Runs what waits for the disk where waiting holds up nobody.
///
/// # Cancel safety
/// The work goes on to its end; what it returns is dropped.
async fn blocking<T, F>(work: F) -> Result<T, ContainerError>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| failed(&error)),
        Err(_) => Err(ContainerError::Backend("the work on the folder was stopped".to_owned())),
    }
}

fn failed(error: &io::Error) -> ContainerError {
    ContainerError::Backend(error.to_string())
}
