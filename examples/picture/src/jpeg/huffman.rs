//! Huffman tables: from the next bits to a value and how many bits it took.

use crate::rows::ImageError;

/// Codes up to this length are found with one look.
const FAST_BITS: u32 = 9;

/// A table of codes of 1 to 16 bits.
#[derive(Debug, Clone)]
pub(crate) struct Huffman {
    /// By the next nine bits: the code's length in the high byte (0: longer than that), its value in the low one.
    fast: [u16; 1 << FAST_BITS],
    /// By length: the first 16-bit prefix that is too large for codes of that length.
    end: [u32; 17],
    /// By length: what to add to a code to get its place among the values.
    offset: [i32; 17],
    values: [u8; 256],
}

impl Huffman {
    /// Makes a table from how many codes there are of each length, and their values in order.
    pub(crate) fn new(counts: &[u8; 16], codes: &[u8]) -> Result<Self, ImageError> {
        let bad = || ImageError::jpeg("a Huffman table has more codes than fit");
        let mut table = Self { fast: [0; 1 << FAST_BITS], end: [0; 17], offset: [0; 17], values: [0; 256] };
        table.values.get_mut(..codes.len()).ok_or_else(bad)?.copy_from_slice(codes);
        let (mut code, mut at) = (0_u32, 0_usize);
        for (length, count) in (1_u32..).zip(counts) {
            let count = u32::from(*count);
            let slot = length as usize;
            if let (Some(offset), Some(end)) = (table.offset.get_mut(slot), table.end.get_mut(slot)) {
                *offset = i32::try_from(at).map_err(|_| bad())? - i32::try_from(code).map_err(|_| bad())?;
                *end = (code + count) << (16 - length);
            }
            if code + count > 1 << length {
                return Err(bad());
            }
            let values = codes.get(at..at + count as usize).ok_or_else(bad)?;
            if length <= FAST_BITS {
                for (code, value) in (code..).zip(values) {
                    let first = (code << (FAST_BITS - length)) as usize;
                    let places = table.fast.get_mut(first..first + (1 << (FAST_BITS - length))).ok_or_else(bad)?;
                    places.fill(u16::from(*value) | u16::try_from(length << 8).unwrap_or(0));
                }
            }
            at += values.len();
            code = (code + count) << 1;
        }
        Ok(table)
    }

    /// The value at the front of 16 bits, and its length; `None` where no code begins like that.
    #[inline]
    pub(crate) fn find(&self, bits: u32) -> Option<(u8, u32)> {
        let fast = self.fast.get((bits >> (16 - FAST_BITS)) as usize).copied().unwrap_or(0);
        let [length, value] = fast.to_be_bytes();
        if length != 0 {
            return Some((value, u32::from(length)));
        }
        self.find_long(bits)
    }

    #[cold]
    fn find_long(&self, bits: u32) -> Option<(u8, u32)> {
        for length in FAST_BITS + 1..=16 {
            let slot = length as usize;
            if bits < *self.end.get(slot)? {
                let code = i32::try_from(bits >> (16 - length)).ok()?;
                let place = usize::try_from(code + self.offset.get(slot)?).ok()?;
                return Some((*self.values.get(place)?, length));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_short_and_long() {
        // One code of each length: 0, 10, 110 and so on, up to fifteen ones and a nought.
        let values: Vec<u8> = (1..=16).collect();
        let table = Huffman::new(&[1; 16], &values).unwrap();
        for (length, value) in (1..=16_u32).zip(1_u8..) {
            let code = (0xffff << (17 - length)) & 0xffff & !(1 << (16 - length));
            assert_eq!(table.find(code), Some((value, length)), "{code:016b}");
        }
        assert_eq!(table.find(0xffff), None);
    }

    #[test]
    fn too_many_codes_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Huffman::new(&counts, &[1, 2, 3]).is_err());
        counts[0] = 2;
        counts[1] = 1;
        assert!(Huffman::new(&counts, &[1, 2, 3]).is_err());
    }
}
