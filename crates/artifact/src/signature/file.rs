//! `cumulet.sig`: a signature as it lies beside a manifest.

use cumulet_spec::id::KeyId;
use serde::{Deserialize, Serialize};

use crate::signature::SignatureError;

/// What the file is called, beside the manifest.
pub const SIGNATURE_FILE: &str = "cumulet.sig";
/// The version of its form. A reader refuses later ones; a field that it does not know is an error, too: nothing beside a
/// signature may be taken for signed.
pub const SIGNATURE_FORMAT: u64 = 1;
/// The largest file that is read, in bytes.
pub const SIGNATURE_BYTES_MAX: usize = 1 << 20;

/// A statement, with the signature of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    /// The key that is said to have signed.
    pub key: KeyId,
    /// What was signed.
    pub statement: String,
    /// The 64 bytes of the signature in base64.
    pub signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    key: KeyId,
    statement: String,
    signature: String,
}

/// What every version of the form has.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

impl SignedStatement {
    /// The content of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { key, statement, signature } = self.clone();
        let written = Written { format: SIGNATURE_FORMAT, key, statement, signature };
        serde_json::to_string_pretty(&written).expect("text and a number can be written") + "\n"
    }

    /// Reads the content of the file.
    ///
    /// # Errors
    /// When it is larger than [`SIGNATURE_BYTES_MAX`], of a later version, or in no such form.
    pub fn read(bytes: &[u8]) -> Result<Self, SignatureError> {
        if bytes.len() > SIGNATURE_BYTES_MAX {
            return Err(SignatureError::Malformed(format!("it is larger than {SIGNATURE_BYTES_MAX} bytes")));
        }
        let malformed = |error: serde_json::Error| SignatureError::Malformed(error.to_string());
        let version: Version = serde_json::from_slice(bytes).map_err(malformed)?;
        if version.format != SIGNATURE_FORMAT {
            return Err(SignatureError::Format(version.format));
        }
        let Written { key, statement, signature, .. } = serde_json::from_slice(bytes).map_err(malformed)?;
        Ok(Self { key, statement, signature })
    }
}
