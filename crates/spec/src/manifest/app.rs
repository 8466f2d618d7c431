//! Reads the manifest as a whole.

use super::{Manifest, ManifestError, Problem};

pub(super) fn parse(text: &str) -> Result<Manifest, ManifestError> {
    Err(ManifestError { problems: vec![Problem::new(0..text.len(), "not read yet")] })
}
