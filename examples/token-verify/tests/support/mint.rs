//! Makes keys and tokens for tests and for the demo. The private keys are public: nobody may ever trust them elsewhere.
#![allow(dead_code, reason = "each user takes what it needs")]
#![allow(clippy::unwrap_used, reason = "keys that are known to be keys")]

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::Signer as _;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer as _};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    Rs256,
    Es256,
    EdDsa,
}

pub(crate) const SIGNERS: [Signer; 3] = [Signer::Rs256, Signer::Es256, Signer::EdDsa];

fn rsa_key() -> rsa::RsaPrivateKey {
    rsa::RsaPrivateKey::from_pkcs8_pem(include_str!("../../data/test-only-rsa.pem")).unwrap()
}

fn p256_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap()
}

fn ed25519_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

impl Signer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(crate) fn key_id(self) -> &'static str {
        match self {
            Self::Rs256 => "rsa-1",
            Self::Es256 => "p256-1",
            Self::EdDsa => "ed25519-1",
        }
    }

    /// The public key, as a key set gives it.
    pub(crate) fn jwk(self) -> Value {
        let (name, id) = (self.name(), self.key_id());
        match self {
            Self::Rs256 => {
                let key = rsa_key();
                let (n, e) = (encode(&key.n().to_bytes_be()), encode(&key.e().to_bytes_be()));
                json!({"kty": "RSA", "kid": id, "alg": name, "use": "sig", "n": n, "e": e})
            }
            Self::Es256 => {
                let point = p256_key().verifying_key().to_sec1_point(false);
                let (x, y) = (encode(point.x().unwrap()), encode(point.y().unwrap()));
                json!({"kty": "EC", "crv": "P-256", "kid": id, "alg": name, "use": "sig", "x": x, "y": y})
            }
            Self::EdDsa => {
                let x = encode(ed25519_key().verifying_key().as_bytes());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "alg": name, "use": "sig", "x": x})
            }
        }
    }

    fn sign(self, signed: &[u8]) -> Vec<u8> {
        match self {
            Self::Rs256 => rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(rsa_key()).sign(signed).to_vec(),
            Self::Es256 => {
                use p256::ecdsa::signature::Signer as _;
                let signature: p256::ecdsa::Signature = p256_key().sign(signed);
                signature.to_bytes().to_vec()
            }
            Self::EdDsa => ed25519_key().sign(signed).to_bytes().to_vec(),
        }
    }

    /// A token with this key's name and algorithm in its header.
    pub(crate) fn token(self, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.name(), "kid": self.key_id(), "typ": "JWT"}), claims)
    }

    /// A token with any header, signed by this key all the same.
    pub(crate) fn token_with(self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = encode(&self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// All three public keys.
pub(crate) fn key_set() -> Value {
    json!({"keys": SIGNERS.map(Signer::jwk)})
}
