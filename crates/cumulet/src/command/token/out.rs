//! The file that a new token goes to.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cumulet_spec::sensitive::Sensitive;

use crate::exit::Exit;
use crate::failure::Failure;

/// A new file that only its owner may read. It goes again if nothing is kept in it.
#[derive(Debug)]
pub(super) struct Out {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl Out {
    /// Makes the file.
    ///
    /// # Errors
    /// When there is one already, or none can be made.
    pub(super) fn create(path: &Path) -> Result<Self, Box<Failure>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let failure = Failure::new(Exit::FAILED, "cannot make a file for the token").at(path).because(&error);
            failure.next("name one that is not there yet, in a folder that can be written, with --out")
        })?;
        Ok(Self { path: path.to_owned(), file, is_kept: false })
    }

    /// Writes the token to it, and says where it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(mut self, secret: &Sensitive) -> Result<PathBuf, Box<Failure>> {
        let written = writeln!(self.file, "{}", secret.reveal()).and_then(|()| self.file.sync_all());
        written.map_err(|error| {
            let failure = Failure::new(Exit::FAILED, "cannot write the token").at(&self.path).because(&error);
            failure.next("make another, and remove this one: see `cumulet token list`")
        })?;
        self.is_kept = true;
        Ok(self.path.clone())
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed is empty, or half a token.
            drop(std::fs::remove_file(&self.path));
        }
    }
}
