//! Bodies to write, and what is there after.

use std::fs;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use cumulet_provider::blobstore::{Chunks, Container, ContainerError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// Bytes that look random and depend on a seed alone.
pub(crate) fn noise(seed: u64, size: usize) -> Bytes {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes.into()
}

/// A body in chunks of one size.
pub(crate) fn body(bytes: impl Into<Bytes>, chunk: usize) -> Chunks {
    let mut rest = bytes.into();
    let chunks = std::iter::from_fn(move || {
        let length = rest.len().min(chunk);
        (length > 0).then(|| Ok(rest.split_to(length)))
    });
    stream::iter(chunks).boxed()
}

pub(crate) fn whole(bytes: impl Into<Bytes>) -> Chunks {
    body(bytes, 64 << 10)
}

/// A body that breaks off after some bytes.
pub(crate) fn broken(bytes: Bytes) -> Chunks {
    whole(bytes).chain(stream::iter([Err(ContainerError::Broken)])).boxed()
}

/// A body that stalls after some bytes.
pub(crate) fn stalled(bytes: Bytes) -> Chunks {
    whole(bytes).chain(stream::pending()).boxed()
}

/// Part of an object; checks that what comes is what was announced, in chunks that are not too large.
pub(crate) async fn part(
    container: &dyn Container,
    name: &str,
    first: u64,
    last: u64,
) -> Result<Bytes, ContainerError> {
    let mut reading = container.read(name.to_owned(), first, last).await?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = reading.chunks.try_next().await? {
        assert!(chunk.len() <= 64 << 10, "a chunk of {} bytes", chunk.len());
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!(bytes.len() as u64, reading.size);
    Ok(bytes.freeze())
}

/// A whole object.
pub(crate) async fn read(container: &dyn Container, name: &str) -> Result<Bytes, ContainerError> {
    part(container, name, 0, u64::MAX).await
}

/// All names, page by page, and how many pages there were.
pub(crate) async fn all_names(container: &dyn Container) -> (Vec<String>, usize) {
    let (mut names, mut pages) = (Vec::<String>::new(), 0);
    loop {
        let page = container.list(names.last().cloned()).await.unwrap();
        pages += 1;
        names.extend(page.names);
        if !page.more {
            return (names, pages);
        }
    }
}

/// The names of what lies in a folder.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
