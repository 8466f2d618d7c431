//! The body of a write, as a backend takes it: in pieces of one size, and bounded.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{Chunks, ContainerError};

/// What a piece starts with, in bytes: a small object needs no buffer of a whole piece.
const PIECE_START_BYTES: usize = 8 << 10;

/// A body of which at most `bytes_max` are taken.
pub(super) struct Intake {
    body: Chunks,
    /// Of the last chunk, what did not fit into the piece before.
    rest: Bytes,
    taken: u64,
    bytes_max: u64,
}

impl Intake {
    pub(super) fn new(body: Chunks, bytes_max: u64) -> Self {
        Self { body, rest: Bytes::new(), taken: 0, bytes_max }
    }

    /// The next `size` bytes; fewer at the end, none after it.
    ///
    /// The bytes are copied: chunks as small as a guest likes would otherwise keep large buffers alive.
    ///
    /// # Errors
    /// [`ContainerError::TooLarge`] once the body is larger than its bound; the body's own error.
    pub(super) async fn piece(&mut self, size: usize) -> Result<Bytes, ContainerError> {
        let mut piece = BytesMut::with_capacity(size.min(PIECE_START_BYTES.max(self.rest.len())));
        while piece.len() < size {
            if self.rest.is_empty() {
                match self.body.next().await {
                    Some(chunk) => self.rest = self.counted(chunk?)?,
                    None => break,
                }
            }
            let fits = self.rest.len().min(size - piece.len());
            piece.extend_from_slice(&self.rest.split_to(fits));
        }
        Ok(piece.freeze())
    }

    fn counted(&mut self, chunk: Bytes) -> Result<Bytes, ContainerError> {
        self.taken = self.taken.saturating_add(chunk.len() as u64);
        if self.taken > self.bytes_max {
            return Err(ContainerError::TooLarge { max: self.bytes_max });
        }
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn intake(chunks: &[&'static str], bytes_max: u64) -> Intake {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        Intake::new(stream::iter(chunks).boxed(), bytes_max)
    }

    #[tokio::test]
    async fn pieces_have_one_size_whatever_the_chunks_have() {
        let mut body = intake(&["ab", "", "cdefg", "h"], 8);
        let mut pieces = Vec::new();
        for _ in 0..4 {
            pieces.push(body.piece(3).await.unwrap());
        }
        assert_eq!(pieces, ["abc", "def", "gh", ""]);
    }

    #[tokio::test]
    async fn a_body_above_its_bound_is_refused_and_one_at_it_is_not() {
        assert_eq!(intake(&["abc", "d"], 4).piece(9).await.unwrap(), "abcd");
        assert_eq!(intake(&["abc", "de"], 4).piece(9).await, Err(ContainerError::TooLarge { max: 4 }));
    }
}
