//! Who vouches for an app: detached Ed25519 signatures (RFC 8032) over what a developer has before it is uploaded.
//!
//! What is signed is a [`Statement`]: a text of lines that begins with its own version, and names the app, the digest of
//! the manifest's bytes, and the digest of each component under its name. Nothing else is ever signed with these keys, and
//! no other text can be taken for a statement. [`admit`] is what a node asks before it takes a revision.

mod file;
mod secret;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cumulet_spec::id::{AppName, ComponentName, Digest, KeyId, PublicKey};
use cumulet_spec::node::{Signatures, Tenant};
use ed25519_dalek::{Signature, VerifyingKey};
use thiserror::Error;

pub use file::{SIGNATURE_BYTES_MAX, SIGNATURE_FILE, SIGNATURE_FORMAT, SignedStatement};
pub use secret::{SigningKey, SigningKeyError};

/// The first line of every statement.
const VERSION: &str = "cumulet-revision-v1";

/// What a signature vouches for: an app, its manifest, and its components.
///
/// Its text is the only one that it can have: names hold no spaces, components stand in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The app.
    pub app: AppName,
    /// Of the manifest's bytes, as they are.
    pub manifest: Digest,
    /// Of each component's bytes.
    pub components: BTreeMap<ComponentName, Digest>,
}

/// A signature does not vouch for what is at hand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// There is none.
    #[error("it is not signed, and this tenant takes only what is; sign it with `cumulet sign --key FILE`")]
    Missing,
    /// It is not in the form that `cumulet sign` writes.
    #[error("the signature is not in a form that is read here: {0}; sign it again with `cumulet sign`")]
    Malformed(String),
    /// A later version of this program wrote it.
    #[error("the signature has format {0}, which a later version of this program wrote; update this one")]
    Format(u64),
    /// None of the trusted keys signed it.
    #[error(
        "it is signed by {0}, which this tenant does not trust; sign it with a trusted key, or have that one trusted"
    )]
    Untrusted(KeyId),
    /// It was signed for something else.
    #[error("the signature is for {0}; sign what is there now with `cumulet sign`")]
    Differs(Difference),
    /// It was not made by the key that it names.
    #[error("the signature was not made by {0}, though it says so; do not use it, and find out where it comes from")]
    Forged(KeyId),
}

/// In what the statement that was signed differs from what is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is of another app.
    App,
    /// The manifest is not as it was.
    Manifest,
    /// A component is not as it was.
    Component(ComponentName),
    /// Components were added or removed.
    Components,
    /// It says something else.
    Text,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App => f.write_str("another app"),
            Self::Manifest => f.write_str("another manifest: it was changed after it was signed"),
            Self::Component(name) => {
                write!(f, "other bytes of component `{name}`: they were changed after it was signed")
            }
            Self::Components => f.write_str("other components: one was added or removed after it was signed"),
            Self::Text => f.write_str("something else"),
        }
    }
}

impl Statement {
    /// What is to be said of an app: the bytes of its manifest, and the digest of each component's bytes.
    #[must_use]
    pub fn new(app: AppName, manifest: &[u8], components: BTreeMap<ComponentName, Digest>) -> Self {
        Self { app, manifest: Digest::of(manifest), components }
    }

    /// The text that is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\napp {}\nmanifest {}\n", self.app, self.manifest);
        for (name, digest) in &self.components {
            text.push_str("component ");
            text.push_str(name.as_str());
            text.push(' ');
            text.push_str(&digest.to_string());
            text.push('\n');
        }
        text
    }

    /// Reads the text of a statement. `None` for any other text, and for any that differs in a byte from what
    /// [`to_text`](Self::to_text) makes.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let is_ours = lines.next() == Some(VERSION);
        let app = AppName::parse(lines.next()?.strip_prefix("app ")?).ok()?;
        let manifest = Digest::parse(lines.next()?.strip_prefix("manifest ")?).ok()?;
        let component = |line: &str| {
            let (name, digest) = line.strip_prefix("component ")?.split_once(' ')?;
            Some((ComponentName::parse(name).ok()?, Digest::parse(digest).ok()?))
        };
        let components = lines.map(component).collect::<Option<BTreeMap<_, _>>>()?;
        let statement = Self { app, manifest, components };
        (is_ours && statement.to_text() == text).then_some(statement)
    }

    /// In what another one differs, for people.
    fn difference(&self, signed: &str) -> Option<Difference> {
        if signed == self.to_text() {
            return None;
        }
        let Some(signed) = Self::read(signed) else { return Some(Difference::Text) };
        let is_changed = |(name, digest): &(&ComponentName, &Digest)| signed.components.get(*name) != Some(*digest);
        Some(if signed.app != self.app {
            Difference::App
        } else if !signed.components.keys().eq(self.components.keys()) {
            Difference::Components
        } else if let Some((name, _)) = self.components.iter().find(is_changed) {
            Difference::Component(name.clone())
        } else {
            Difference::Manifest
        })
    }
}

/// Signs a statement.
#[must_use]
pub fn sign(statement: &Statement, key: &SigningKey) -> SignedStatement {
    let text = statement.to_text();
    let signature = key.sign(text.as_bytes());
    SignedStatement { key: key.public().id(), statement: text, signature: BASE64_STANDARD.encode(signature.to_bytes()) }
}

/// Whether one of the trusted keys vouches for exactly this statement. Returns which.
///
/// # Errors
/// When none of them signed, or what was signed is something else.
pub fn verify(statement: &Statement, signed: &SignedStatement, trusted: &[PublicKey]) -> Result<KeyId, SignatureError> {
    let key = trusted.iter().find(|key| key.id() == signed.key).ok_or(SignatureError::Untrusted(signed.key))?;
    if let Some(difference) = statement.difference(&signed.statement) {
        return Err(SignatureError::Differs(difference));
    }
    let forged = SignatureError::Forged(signed.key);
    let signature = BASE64_STANDARD.decode(&signed.signature).ok();
    let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok()).ok_or(forged.clone())?;
    let key = VerifyingKey::from_bytes(key.as_bytes()).map_err(|_no_point| forged.clone())?;
    // Strict: neither weak keys nor a second form of the same signature.
    key.verify_strict(statement.to_text().as_bytes(), &signature).map_err(|_false| forged)?;
    Ok(signed.key)
}

/// Whether a tenant takes what this statement is about. `signature` holds the bytes of its `cumulet.sig`, if it came with
/// one. Returns the key that vouches for it, if any does.
///
/// A tenant that trusts no key takes anything, and looks at no signature.
///
/// # Errors
/// When a signature is required and missing, or one that is there does not hold.
pub fn admit(
    tenant: &Tenant,
    statement: &Statement,
    signature: Option<&[u8]>,
) -> Result<Option<KeyId>, SignatureError> {
    match (signature, tenant.signatures) {
        (None, Signatures::Required) => Err(SignatureError::Missing),
        (None, Signatures::Optional) => Ok(None),
        (Some(_), Signatures::Optional) if tenant.keys.is_empty() => Ok(None),
        (Some(bytes), _) => verify(statement, &SignedStatement::read(bytes)?, &tenant.keys).map(Some),
    }
}

#[cfg(test)]
mod tests;
