//! A compiled file that was verified.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

/// An open descriptor of a compiled file that this node made. Whatever happens to the name, these are the bytes that were
/// verified.
#[derive(Debug)]
#[must_use]
pub struct VerifiedFile {
    file: File,
    code_bytes: u64,
}

impl VerifiedFile {
    pub(super) fn new(file: File, code_bytes: u64) -> Self {
        Self { file, code_bytes }
    }

    /// The size of the code, in bytes.
    #[must_use]
    pub fn code_bytes(&self) -> u64 {
        self.code_bytes
    }

    /// A path that stands for the descriptor, for whatever takes only paths. It holds in this process, for as long as
    /// this value does.
    #[must_use]
    pub fn path_of_descriptor(&self) -> PathBuf {
        let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
        PathBuf::from(format!("{folder}/{}", self.file.as_raw_fd()))
    }
}
