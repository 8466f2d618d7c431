//! The chunks of a body that is read.

use bytes::Bytes;

/// The largest chunk, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// Cuts what a backend read at once into chunks, without copying it.
pub(super) fn split(mut block: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let length = block.len().min(CHUNK_BYTES);
        (length > 0).then(|| block.split_to(length))
    })
}
