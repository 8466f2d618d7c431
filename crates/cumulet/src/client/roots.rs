//! Whom a command believes about who a node is.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use reqwest::Certificate;

use crate::exit::Exit;
use crate::failure::Failure;

/// The largest file of certificates that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The certificates in a file.
pub(super) fn read(file: &Path) -> Result<Vec<Certificate>, Box<Failure>> {
    let next = "name a file of certificates in PEM with --ca";
    let mut pem = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(FILE_BYTES_MAX).read_to_end(&mut pem));
    read.map_err(|error| {
        Failure::new(Exit::USAGE, "cannot read the certificates").at(file).because(&error).next(next)
    })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_none) => Err(Failure::new(Exit::USAGE, "this file holds no certificate").at(file).next(next)),
        Err(error) => {
            Err(Failure::new(Exit::USAGE, "this file holds no certificates").at(file).because(&error).next(next))
        }
    }
}
