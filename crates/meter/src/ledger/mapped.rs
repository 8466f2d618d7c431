//! A file as a slice of atomic words. The one file of this crate with `unsafe` code.
#![allow(unsafe_code, reason = "the system hands out a mapping as a pointer")]

use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;

use memmap2::MmapRaw;

/// A file that is mapped for reading and writing, shared with the page cache: what is stored here survives the process.
#[derive(Debug)]
pub(super) struct Mapped {
    map: MmapRaw,
}

impl Mapped {
    /// Maps the whole file. Its blocks must exist: on a full disk, the first store to a hole would end the process.
    ///
    /// The caller holds the lock of the ledger, so that no other node writes the file, or makes it shorter.
    pub(super) fn new(file: &File) -> io::Result<Self> {
        Ok(Self { map: MmapRaw::map_raw(file)? })
    }

    /// The words of the file, in the byte order of the machine; what is left of a last word is not among them.
    pub(super) fn words(&self) -> &[AtomicU64] {
        let length = self.map.len() / size_of::<AtomicU64>();
        // SAFETY: the mapping is readable and writable for `length` words as long as `self` lives, and begins at a page,
        // so at an aligned address. Every bit pattern is a valid word. Nobody but this process writes the file or changes
        // its length: it has mode 0600 in a folder of mode 0700, and the ledger is locked. This process writes it only
        // through these atomics.
        unsafe { std::slice::from_raw_parts(self.map.as_mut_ptr().cast::<AtomicU64>(), length) }
    }
}
