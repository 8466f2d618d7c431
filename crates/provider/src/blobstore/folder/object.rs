//! An object that is there: an open file, which stays as it is when the object is replaced.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rustix::io::Errno;

use super::blocking;
use super::file_name::FileName;
use super::root::{Root, open_file};
use crate::blobstore::chunks::split;
use crate::blobstore::{Chunks, ContainerError, ObjectInfo, Reading};

/// What is read with one call of the system, in bytes.
const READ_BYTES: u64 = 256 << 10;

/// The open file of an object.
#[derive(Debug)]
pub(super) struct Object {
    file: File,
    /// Where in the file the object starts.
    start: u64,
    size: u64,
    written_at_s: u64,
}

impl Object {
    /// Opens the file of an object; `None` if there is none. A link, or anything else that is no file, is no object.
    pub(super) fn open(root: &Root, name: &FileName) -> io::Result<Option<Self>> {
        let file = match open_file(&root.objects, name.as_str()) {
            Ok(file) => file,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let start = name.header().len() as u64;
        if !metadata.is_file() || metadata.len() < start {
            return Ok(None);
        }
        let written_at_s = u64::try_from(metadata.mtime()).unwrap_or(0);
        Ok(Some(Self { file, start, size: metadata.len() - start, written_at_s }))
    }

    pub(super) fn info(&self) -> ObjectInfo {
        ObjectInfo { created_at_s: self.written_at_s, size: self.size }
    }

    /// Part of the object, read as it is taken.
    pub(super) fn read(self, first: u64, last: u64) -> Result<Reading, ContainerError> {
        if self.size == 0 && first == 0 {
            return Ok(Reading { size: 0, chunks: stream::empty().boxed() });
        }
        if first > last || first >= self.size {
            return Err(ContainerError::Range);
        }
        let end = last.saturating_add(1).min(self.size);
        let chunks = body(self.file, self.start + first, self.start + end);
        Ok(Reading { size: end - first, chunks })
    }
}

fn body(file: File, from: u64, to: u64) -> Chunks {
    let file = Arc::new(file);
    stream::try_unfold(from, move |at| {
        let file = Arc::clone(&file);
        async move {
            let length = READ_BYTES.min(to.saturating_sub(at));
            if length == 0 {
                return Ok(None);
            }
            let block = blocking(move || read_block(&file, at, length)).await?;
            Ok(Some((stream::iter(split(block).map(Ok)), at + length)))
        }
    })
    .try_flatten()
    .boxed()
}

fn read_block(file: &File, at: u64, length: u64) -> io::Result<Bytes> {
    let length = usize::try_from(length).expect("at most READ_BYTES are read at once");
    let mut block = vec![0; length];
    file.read_exact_at(&mut block, at)?;
    Ok(block.into())
}

/// Whether a file is not there, or is a link or a socket that someone put there.
fn is_absence(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::NOENT, Errno::LOOP, Errno::NXIO].iter().any(|errno| code == Some(errno.raw_os_error()))
}
