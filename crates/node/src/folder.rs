//! Whether a folder will do for data.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rustix::fs::{Access, access};

/// Whether a folder can be written. It is made, for nobody else to read, if it is not there.
#[must_use]
pub fn is_writable(folder: &Path) -> bool {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.is_ok() && access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(is_writable(&folder.path().join("a/b")));
        assert!(!is_writable(&file) && !is_writable(&file.join("a")));
    }
}
