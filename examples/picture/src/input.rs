//! The body as the decoders read it: buffered, and remembered while the format is still being found out.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use crate::rows::ImageError;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 32 * 1024;

/// A buffered reader that can keep what was read, for a decoder that has to start over.
#[derive(Debug)]
pub struct Input<R> {
    reader: R,
    buffer: Vec<u8>,
    at: usize,
    /// What was consumed so far, until somebody says that it is not needed.
    history: Option<Vec<u8>>,
    history_max: usize,
}

impl<R: Read> Input<R> {
    /// Starts at a body's first byte and keeps up to `history_max` bytes of what is consumed.
    #[must_use]
    pub fn new(reader: R, history_max: usize) -> Self {
        Self { reader, buffer: Vec::with_capacity(BUFFER_BYTES), at: 0, history: Some(Vec::new()), history_max }
    }

    /// Looks at the next bytes, at least `count` of them unless the body ends first. `count` is small.
    ///
    /// # Errors
    /// When the body breaks off.
    pub fn peek(&mut self, count: usize) -> Result<&[u8], ImageError> {
        while self.ahead().len() < count {
            if self.more().map_err(|_| ImageError::BrokenBody)? == 0 {
                break;
            }
        }
        Ok(self.ahead())
    }

    /// What is buffered and not yet consumed.
    #[must_use]
    pub fn ahead(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// The next byte; `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off, or the history is full.
    #[inline]
    pub fn byte(&mut self) -> Result<Option<u8>, ImageError> {
        if self.at == self.buffer.len() && self.peek(1)?.is_empty() {
            return Ok(None);
        }
        let byte = self.ahead().first().copied();
        self.advance(1)?;
        Ok(byte)
    }

    /// Goes on by `count` bytes that were peeked at.
    ///
    /// # Errors
    /// When the history is full.
    #[inline]
    pub fn advance(&mut self, count: usize) -> Result<(), ImageError> {
        let end = (self.at + count).min(self.buffer.len());
        if let Some(history) = &mut self.history {
            if history.len() + count > self.history_max {
                return Err(ImageError::TooManyBytes { what: "what stands before the picture", max: self.history_max });
            }
            history.extend_from_slice(self.buffer.get(self.at..end).unwrap_or_default());
        }
        self.at = end;
        Ok(())
    }

    /// Reads exactly `count` bytes; `None` if the body ends first.
    ///
    /// # Errors
    /// When the body breaks off, or the history is full.
    pub fn take(&mut self, count: usize) -> Result<Option<Vec<u8>>, ImageError> {
        let mut bytes = Vec::with_capacity(count.min(BUFFER_BYTES));
        while bytes.len() < count {
            if self.peek(1)?.is_empty() {
                return Ok(None);
            }
            let now = self.ahead().len().min(count - bytes.len());
            bytes.extend_from_slice(self.ahead().get(..now).unwrap_or_default());
            self.advance(now)?;
        }
        Ok(Some(bytes))
    }

    /// Stops keeping what is consumed: from here on, there is no way back.
    pub fn forget(&mut self) {
        self.history = None;
    }

    /// Everything from the first byte on, at most `max` bytes.
    ///
    /// # Errors
    /// When the body is longer, or breaks off.
    pub fn into_all(mut self, max: usize) -> Result<Vec<u8>, ImageError> {
        let mut all = self.history.take().unwrap_or_default();
        all.extend_from_slice(self.ahead());
        let room = (max + 1).saturating_sub(all.len());
        self.reader.take(room as u64).read_to_end(&mut all).map_err(|_| ImageError::BrokenBody)?;
        if all.len() > max {
            return Err(ImageError::TooManyBytes { what: "a file of this format", max });
        }
        Ok(all)
    }

    fn more(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let kept = self.buffer.len();
        self.buffer.resize(kept + BUFFER_BYTES, 0);
        let read = self.reader.read(self.buffer.get_mut(kept..).unwrap_or_default());
        self.buffer.truncate(kept + *read.as_ref().unwrap_or(&0));
        read
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let ahead = self.fill_buf()?;
        let count = ahead.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..count), ahead.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.buffer.len() {
            self.more()?;
        }
        Ok(self.ahead())
    }

    fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.buffer.len());
    }
}

/// The PNG decoder asks for a reader that can seek, and seeks only when it is told to skip: never here.
impl<R: Read> Seek for Input<R> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
