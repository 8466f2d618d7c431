//! A block of 8 by 8 coefficients, out of the coded bits.

use std::io::Read;

use super::bits::Bits;
use super::huffman::Huffman;
use crate::rows::ImageError;

/// Where the coefficients stand in the block, in the order in which they are coded.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// The coefficients of a block, in rows, already multiplied with their factors.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) coefficients: [i32; 64],
    /// The place, in coded order, of the last coefficient that is not nought.
    pub(crate) last: usize,
}

/// The tables that a component's blocks are decoded with.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) dc: Huffman,
    pub(crate) ac: Huffman,
    pub(crate) factors: [u16; 64],
}

impl Block {
    pub(crate) fn new() -> Self {
        Self { coefficients: [0; 64], last: 0 }
    }

    /// Decodes the next block; `previous` is the first coefficient of the component's block before, and is updated.
    #[inline]
    pub(crate) fn decode<R: Read>(
        &mut self,
        bits: &mut Bits<R>,
        tables: &Tables,
        previous: &mut i32,
    ) -> Result<(), ImageError> {
        self.coefficients = [0; 64];
        self.last = 0;
        let no_code = || ImageError::jpeg("its bits are no code");
        bits.refill()?;
        let (size, length) = tables.dc.find(bits.peek()).ok_or_else(no_code)?;
        bits.consume(length);
        if size > 11 {
            return Err(no_code());
        }
        *previous = previous.wrapping_add(bits.signed(u32::from(size)));
        self.set(0, *previous, &tables.factors);
        let mut at = 1;
        while at < 64 {
            bits.refill()?;
            let (value, length) = tables.ac.find(bits.peek()).ok_or_else(no_code)?;
            bits.consume(length);
            let (zeros, size) = (usize::from(value >> 4), u32::from(value & 15));
            match (zeros, size) {
                (15, 0) => at += 16,
                (_, 0) => break,
                _ => {
                    at += zeros;
                    if at > 63 {
                        return Err(ImageError::jpeg("a block has more than 64 coefficients"));
                    }
                    self.set(at, bits.signed(size), &tables.factors);
                    self.last = at;
                    at += 1;
                }
            }
        }
        if bits.is_past_end() { Err(ImageError::jpeg("the picture is cut short")) } else { Ok(()) }
    }

    #[inline]
    fn set(&mut self, at: usize, value: i32, factors: &[u16; 64]) {
        let factor = factors.get(at).copied().map_or(0, i32::from);
        let place = ZIGZAG.get(at).copied().map_or(0, usize::from);
        if let Some(coefficient) = self.coefficients.get_mut(place) {
            *coefficient = value.wrapping_mul(factor);
        }
    }
}
