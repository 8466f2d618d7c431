//! A token as its holder has it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::TokenId;
use crate::sensitive::Sensitive;

/// The random bytes of a token.
pub const TOKEN_SECRET_BYTES: usize = 32;
/// What every token starts with, so that people and scanners of secrets know one when they see it.
const PREFIX: &str = "cumulet_";
/// The characters that stand for the random bytes.
const SECRET_CHARS: usize = 43;

/// A whole token, `cumulet_ID_SECRET`: shown once to whoever it is for, never printed, wiped when it is dropped.
#[derive(Clone)]
pub struct TokenText {
    id: TokenId,
    text: Sensitive,
}

/// The text is not a token. It may nearly be one, so it is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a token: it starts with `cumulet_` and is copied whole, as it was shown when it was made")]
pub struct TokenTextError;

impl TokenText {
    /// The token of this id with these bytes, which come from a generator for secrets.
    #[must_use]
    pub fn new(id: TokenId, secret: &[u8; TOKEN_SECRET_BYTES]) -> Self {
        let text = Sensitive::new(format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret)));
        Self { id, text }
    }

    /// Reads a token.
    ///
    /// # Errors
    /// When the text is none; the error does not repeat it.
    pub fn parse(text: &str) -> Result<Self, TokenTextError> {
        let (id, secret) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(TokenTextError)?;
        let id = TokenId::parse(id).map_err(|_not_an_id| TokenTextError)?;
        let mut bytes = [0; TOKEN_SECRET_BYTES];
        let is_secret = secret.len() == SECRET_CHARS
            && URL_SAFE_NO_PAD.decode_slice(secret, &mut bytes).is_ok_and(|length| length == TOKEN_SECRET_BYTES);
        zeroize::Zeroize::zeroize(&mut bytes);
        if is_secret { Ok(Self { id, text: Sensitive::new(text.to_owned()) }) } else { Err(TokenTextError) }
    }

    /// Which token it claims to be.
    #[must_use]
    pub fn id(&self) -> &TokenId {
        &self.id
    }

    /// The text itself. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.reveal()
    }

    /// What is kept of it: the SHA-256 of the whole text.
    ///
    /// A slow hash protects secrets that people choose; 256 random bits cannot be guessed however fast the hash is.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.reveal().as_bytes()).into()
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenText({}…)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(secret: [u8; 32]) -> TokenText {
        TokenText::new(TokenId::parse("abcd1234").unwrap(), &secret)
    }

    #[test]
    fn it_is_read_back_and_never_printed() {
        let made = token([0xff; 32]);
        assert_eq!(made.reveal(), format!("cumulet_abcd1234_{}8", "_".repeat(42)));
        assert_eq!(made.reveal().len(), "cumulet_abcd1234_".len() + SECRET_CHARS);
        let read = TokenText::parse(made.reveal()).unwrap();
        assert_eq!((read.id(), read.hash()), (made.id(), made.hash()));
        assert_eq!(format!("{read:?}"), "TokenText(abcd1234…)");
    }

    #[test]
    fn the_error_does_not_repeat_the_text() {
        let whole = token([7; 32]).reveal().to_owned();
        let cut = &whole[..whole.len() - 1];
        let unclean = format!("{cut}_");
        for bad in ["", "cumulet_", "cumulet_abcd1234_", cut, &format!("{whole}A"), &unclean, &whole.replace('_', "-")]
        {
            let error = TokenText::parse(bad).unwrap_err();
            assert_eq!(
                error.to_string(),
                "not a token: it starts with `cumulet_` and is copied whole, as it was shown when it was made"
            );
            assert_eq!(format!("{error:?}"), "TokenTextError");
        }
    }

    proptest! {
        #[test]
        fn every_token_comes_back(secret: [u8; 32]) {
            let made = token(secret);
            prop_assert_eq!(TokenText::parse(made.reveal()).unwrap().hash(), made.hash());
        }

        #[test]
        fn no_text_panics(text in "(cumulet_)?.{0,80}") {
            let _read = TokenText::parse(&text);
        }
    }
}
