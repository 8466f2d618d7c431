//! How entries stand in a segment: each in a frame that tells whether all of it is there.
//!
//! `length (4) · check (4) · payload · length (4)`, little-endian. The check is the CRC-32 of the length and the payload.
//! The length stands at the end as well, so that a segment's last entry is found without reading those before it.

use super::record::PAYLOAD_BYTES_MAX;

/// Bytes of a frame before its payload.
const PREFIX_BYTES: usize = 8;
/// Bytes of a frame behind its payload.
const SUFFIX_BYTES: usize = 4;
/// The longest frame that is read, in bytes: room for what later releases may add to an entry.
pub(super) const FRAME_BYTES_READ_MAX: usize = 64 << 10;

const _: () = assert!(PREFIX_BYTES + PAYLOAD_BYTES_MAX + SUFFIX_BYTES < FRAME_BYTES_READ_MAX);

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A frame with this payload; it takes so many bytes.
    Whole(&'a [u8], usize),
    /// Not all of a frame.
    Short,
    /// No frame, or one that was changed.
    Damaged,
}

/// Adds a frame around what `payload` adds, and returns its length.
pub(super) fn append(out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) -> usize {
    let begin = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    payload(out);
    let length = u32::try_from(out.len() - begin - PREFIX_BYTES).unwrap_or(u32::MAX).to_le_bytes();
    let content = out.get(begin + PREFIX_BYTES..).unwrap_or_default();
    let check = check(length, content).to_le_bytes();
    if let Some(prefix) = out.get_mut(begin..begin + PREFIX_BYTES) {
        let (first, second) = prefix.split_at_mut(length.len());
        first.copy_from_slice(&length);
        second.copy_from_slice(&check);
    }
    out.extend_from_slice(&length);
    out.len() - begin
}

/// The frame at the beginning of these bytes.
pub(super) fn first(bytes: &[u8]) -> Frame<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Frame::Short };
    let count = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if count == 0 || count > FRAME_BYTES_READ_MAX - PREFIX_BYTES - SUFFIX_BYTES {
        return Frame::Damaged;
    }
    let Some((expected, rest)) = rest.split_first_chunk::<4>() else { return Frame::Short };
    let Some((payload, rest)) = rest.split_at_checked(count) else { return Frame::Short };
    let Some((again, _)) = rest.split_first_chunk::<4>() else { return Frame::Short };
    if again != length || check(*length, payload) != u32::from_le_bytes(*expected) {
        return Frame::Damaged;
    }
    Frame::Whole(payload, PREFIX_BYTES + count + SUFFIX_BYTES)
}

/// How long the frame at the beginning of these bytes says that it is; 0 for lengths that no frame has.
pub(super) fn announced(bytes: &[u8]) -> u64 {
    let Some(length) = bytes.first_chunk::<4>() else { return 0 };
    let total = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let total = total.saturating_add(PREFIX_BYTES + SUFFIX_BYTES);
    if total <= FRAME_BYTES_READ_MAX { total as u64 } else { 0 }
}

/// Whether these bytes end with a whole frame.
pub(super) fn ends_whole(bytes: &[u8]) -> bool {
    let Some(length) = bytes.last_chunk::<4>() else { return false };
    let count = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let total = count.saturating_add(PREFIX_BYTES + SUFFIX_BYTES);
    let last = bytes.len().checked_sub(total).and_then(|begin| bytes.get(begin..));
    last.is_some_and(|last| matches!(first(last), Frame::Whole(_, taken) if taken == last.len()))
}

fn check(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}
