//! What a signature of an app is about, read from where the app lies.

use std::collections::BTreeMap;
use std::path::Path;

use cumulet_spec::manifest::Manifest;

use crate::load::{LoadError, component_bytes};

pub use cumulet_artifact::signature::{
    Difference, SIGNATURE_FILE, SignatureError, SignedStatement, SigningKey, SigningKeyError, Statement, admit, sign,
    verify,
};

/// What is to be said of an app: `text` is the manifest's as it stands, and components that are elsewhere were fetched.
/// Blocks.
///
/// # Errors
/// When a component cannot be read.
pub fn statement(manifest: &Manifest, text: &str, base_dir: &Path) -> Result<Statement, LoadError> {
    let mut components = BTreeMap::new();
    for (name, component) in &manifest.components {
        let read = component_bytes(&component.source, base_dir);
        let (_bytes, digest) = read.map_err(|kind| LoadError { component: name.clone(), kind })?;
        components.insert(name.clone(), digest);
    }
    Ok(Statement::new(manifest.app.name.clone(), text.as_bytes(), components))
}
