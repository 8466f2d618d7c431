//! What stands behind the code in a compiled file: a mark of the format, and the seal.
//!
//! The code is an ELF image, which says of itself where its parts are: what follows it is not looked at when it is
//! mapped. A reader that finds another mark takes the file for one that it cannot trust, and compiles anew.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// The format that this version writes, and the only one that it reads.
const MARK: [u8; 8] = *b"cwseal\0\x01";
/// Size of a seal, in bytes.
const SEAL_BYTES: usize = blake3::OUT_LEN;
/// Size of the whole trailer, in bytes.
pub(super) const TRAILER_BYTES: usize = MARK.len() + SEAL_BYTES;
/// How much of a file is read at once, in bytes.
const CHUNK_BYTES: usize = 128 << 10;

pub(super) fn written(seal: &blake3::Hash) -> [u8; TRAILER_BYTES] {
    let mut trailer = [0; TRAILER_BYTES];
    let (mark, rest) = trailer.split_at_mut(MARK.len());
    mark.copy_from_slice(&MARK);
    rest.copy_from_slice(seal.as_bytes());
    trailer
}

/// Whether the trailer behind so much code is the seal of that code. A file that ends too early is no error.
pub(super) fn fits(file: &File, code_bytes: u64, mut sealer: blake3::Hasher) -> io::Result<bool> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut at = 0;
    while at < code_bytes {
        let wanted = usize::try_from(code_bytes - at).map_or(CHUNK_BYTES, |rest| rest.min(CHUNK_BYTES));
        let chunk = buffer.get_mut(..wanted).unwrap_or_default();
        if !read_whole(file, chunk, at)? {
            return Ok(false);
        }
        sealer.update(chunk);
        at += wanted as u64;
    }
    let mut found = [0; TRAILER_BYTES];
    if !read_whole(file, &mut found, code_bytes)? {
        return Ok(false);
    }
    let (mark, seal) = found.split_at(MARK.len());
    // Comparing two hashes of this type takes the same time wherever they differ.
    Ok(mark == MARK && blake3::Hash::from_slice(seal).is_ok_and(|seal| seal == sealer.finalize()))
}

fn read_whole(file: &File, buffer: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_form_stays() {
        let hash = blake3::keyed_hash(&[7; 32], b"code");
        insta::assert_snapshot!(hex::encode(written(&hash)));
    }
}
