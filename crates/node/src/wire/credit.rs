//! Credit: how much of a body may be under way.
//!
//! A sender begins with nothing and sends what the receiver grants. A receiver grants [`WINDOW_BYTES`] at first and
//! then again what its reader has taken, in steps. A chunk costs its bytes, a small one more, so that the window
//! bounds the number of chunks too.

use super::frame::CHUNK_BYTES_MAX;
use super::link::WireError;

/// How much of one body may be under way to a reader that does not read, in bytes. A reader's channel holds one chunk
/// beyond it.
pub const WINDOW_BYTES: u32 = 256 << 10;
/// What the smallest chunk costs, in bytes.
const COST_MIN: u32 = 256;
/// The least that is granted at once, in bytes. Less than the window by more than the cost of the smallest chunk: a
/// sender that waits has always something left to be granted.
const GRANT_MIN: u32 = WINDOW_BYTES / 4;

/// The sender's side.
#[derive(Debug, Default)]
pub(super) struct SendWindow {
    left: u32,
}

/// The receiver's side.
#[derive(Debug)]
pub(super) struct ReceiveWindow {
    /// What the sender may still send.
    left: u32,
    /// What was taken and not granted again yet.
    taken: u32,
}

/// What a chunk of so many bytes costs.
fn cost(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX).max(COST_MIN)
}

impl SendWindow {
    /// Takes a grant.
    ///
    /// # Errors
    /// When it is more than the window.
    pub(super) fn grant(&mut self, bytes: u32) -> Result<(), WireError> {
        let left = self.left.checked_add(bytes).filter(|left| *left <= WINDOW_BYTES);
        self.left = left.ok_or(WireError::Granted)?;
        Ok(())
    }

    /// Pays for the next chunk of at most `bytes` and says how long it may be; 0 when there is no credit.
    pub(super) fn pay(&mut self, bytes: usize) -> usize {
        if self.left < COST_MIN {
            return 0;
        }
        let length = bytes.min(CHUNK_BYTES_MAX).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left = self.left.saturating_sub(cost(length));
        length
    }
}

impl ReceiveWindow {
    pub(super) const fn new() -> Self {
        Self { left: 0, taken: WINDOW_BYTES }
    }

    /// Notes a chunk that came.
    ///
    /// # Errors
    /// When it was not granted.
    pub(super) fn receive(&mut self, bytes: usize) -> Result<(), WireError> {
        self.left = self.left.checked_sub(cost(bytes)).ok_or(WireError::Overrun)?;
        Ok(())
    }

    /// Notes that a chunk was taken by the reader.
    pub(super) fn take(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_add(cost(bytes));
    }

    /// What is to be granted now.
    pub(super) fn grant(&mut self) -> Option<u32> {
        if self.taken < GRANT_MIN {
            return None;
        }
        let bytes = std::mem::take(&mut self.taken);
        self.left = self.left.saturating_add(bytes);
        Some(bytes)
    }
}
