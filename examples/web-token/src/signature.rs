//! Whether a token is signed by a key.

use sha2::{Digest, Sha256};

use crate::keys::Key;
use crate::rsa;
use crate::token::{Algorithm, Token};

/// Whether the token's signature is the key's. A key of another kind than the algorithm's has signed nothing.
#[must_use]
pub fn verify(token: &Token<'_>, key: &Key) -> bool {
    match (token.algorithm, key) {
        (Algorithm::Rs256, Key::Rsa { modulus, exponent }) => {
            rsa::verify(modulus, exponent, &Sha256::digest(token.signed).into(), &token.signature)
        }
        (Algorithm::Es256, Key::P256(point)) => es256(point, token).is_some(),
        (Algorithm::EdDsa, Key::Ed25519(point)) => eddsa(point, token).is_some(),
        (Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa, _) => false,
    }
}

fn es256(point: &[u8], token: &Token<'_>) -> Option<()> {
    use p256::ecdsa::signature::Verifier;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    let signature = p256::ecdsa::Signature::from_slice(&token.signature).ok()?;
    key.verify(token.signed, &signature).ok()
}

/// Strictly: neither the key nor the signature's point may be of small order, or one signature would fit many messages.
fn eddsa(point: &[u8], token: &Token<'_>) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(point.try_into().ok()?).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(&token.signature).ok()?;
    key.verify_strict(token.signed, &signature).ok()
}
