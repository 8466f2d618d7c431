//! The picture as its server sends it.

use std::io::{self, Read};

/// The most bytes that a picture may have. Its pixels are bounded by `picture::limit`.
pub const SOURCE_BYTES_MAX: u64 = 16 << 20;

/// A response to the request for a picture.
#[derive(Debug)]
pub struct Source<R> {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: R,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The manifest does not grant the origin.
    #[error("the manifest does not grant the origin")]
    Denied,
    /// The server could not be reached, or gave no response. Says why.
    #[error("{0}")]
    Failed(String),
}

/// A body that breaks off where it becomes too long, and remembers that it did.
#[derive(Debug)]
pub struct Bounded<R> {
    body: R,
    left: u64,
    passed: bool,
}

impl<R: Read> Bounded<R> {
    /// Bounds a body.
    #[must_use]
    pub fn new(body: R, bytes_max: u64) -> Self {
        Self { body, left: bytes_max, passed: false }
    }

    /// Whether the body was longer than its bound.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.passed
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(room)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => {
                self.passed = true;
                Err(io::ErrorKind::FileTooLarge.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes_max: u64, expect: Option<&[u8]>) {
        let mut bounded = Bounded::new(&b"abcd"[..], bytes_max);
        let mut read = Vec::new();
        let whole = bounded.read_to_end(&mut read).is_ok();
        assert_eq!((whole.then_some(read.as_slice()), bounded.is_passed()), (expect, expect.is_none()));
    }

    #[test]
    fn a_body_up_to_the_bound_is_read_and_one_byte_more_is_not() {
        check(4, Some(b"abcd"));
        check(3, None);
    }
}
