//! What a manifest that is not valid gives.

use std::fmt;

use crate::document::Problem;

/// The manifest is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// Everything that was found, in the order of the text; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => f.write_str(&only.message),
            problems => write!(f, "{} problems in the manifest", problems.len()),
        }
    }
}

impl std::error::Error for ManifestError {}
