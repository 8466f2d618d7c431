//! The coded bits: without the noughts that keep them apart from markers, and with a stop at each marker.

use std::io::Read;

use crate::input::Input;
use crate::rows::ImageError;

/// Reads bits, most significant first.
#[derive(Debug)]
pub(crate) struct Bits<R> {
    input: Input<R>,
    /// The next bits, from the top.
    window: u64,
    /// How many bits of the window count.
    count: u32,
    /// How many of those were made up, because a marker or the end stood where bits were wanted.
    padded: u32,
}

impl<R: Read> Bits<R> {
    pub(crate) fn new(input: Input<R>) -> Self {
        Self { input, window: 0, count: 0, padded: 0 }
    }

    /// Makes sure that at least 32 bits can be looked at; behind the last one stand noughts.
    #[inline]
    pub(crate) fn refill(&mut self) -> Result<(), ImageError> {
        if self.count >= 32 {
            return Ok(());
        }
        if let Some(word) = self.input.ahead().first_chunk::<4>() {
            let word = u32::from_be_bytes(*word);
            // Whether any byte is 0xff: then it needs a closer look.
            if word & 0x8080_8080 & (word & 0x7f7f_7f7f).wrapping_add(0x0101_0101) == 0 {
                self.window |= u64::from(word) << (32 - self.count);
                self.count += 32;
                return self.input.advance(4);
            }
        }
        self.refill_slowly()
    }

    fn refill_slowly(&mut self) -> Result<(), ImageError> {
        while self.count <= 56 {
            let byte = match *self.input.peek(2)? {
                [0xff, 0x00, ..] => {
                    self.input.advance(2)?;
                    0xff
                }
                [0xff, ..] | [] => {
                    self.padded += 8;
                    0
                }
                [byte, ..] => {
                    self.input.advance(1)?;
                    byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
        Ok(())
    }

    /// The next 16 bits. There must have been a refill since 16 bits were consumed.
    #[inline]
    pub(crate) fn peek(&self) -> u32 {
        u32::from((self.window >> 48) as u16)
    }

    /// Goes on by at most 16 bits.
    #[inline]
    pub(crate) fn consume(&mut self, count: u32) {
        self.window <<= count;
        self.count = self.count.saturating_sub(count);
    }

    /// The next `count` bits, at most 16, as JPEG codes a signed number.
    #[inline]
    pub(crate) fn signed(&mut self, count: u32) -> i32 {
        if count == 0 {
            return 0;
        }
        let value = (self.peek() >> (16 - count)).cast_signed();
        self.consume(count);
        if value < 1 << (count - 1) { value - (1 << count) + 1 } else { value }
    }

    /// Whether more bits were consumed than there are.
    #[inline]
    pub(crate) fn is_past_end(&self) -> bool {
        self.count < self.padded
    }

    /// Passes the restart marker that has to stand here. Its number, 0 to 7, has to be the expected one.
    pub(crate) fn restart(&mut self, number: u8) -> Result<(), ImageError> {
        // Bits that are left over fill up a byte. More than that would have been coded, and lost.
        let spare = (self.count - self.padded.min(self.count)) / 8;
        if spare > 0 {
            return Err(ImageError::jpeg("a restart marker is missing"));
        }
        (self.window, self.count, self.padded) = (0, 0, 0);
        while self.input.peek(2)?.starts_with(&[0xff, 0xff]) {
            self.input.advance(1)?;
        }
        if !self.input.peek(2)?.starts_with(&[0xff, 0xd0 + number]) {
            return Err(ImageError::jpeg("a restart marker is missing"));
        }
        self.input.advance(2)
    }
}
