//! Text that is only ever held when it is valid.

/// Defines a text that a function checks, with its error; it is written as the text itself.
macro_rules! checked_text {
    ($(#[$doc:meta])* $type:ident, $(#[$error_doc:meta])* $error:ident = $message:literal, $is_valid:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Box<str>);

        $(#[$error_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        pub struct $error;

        impl $type {
            /// Reads the text.
            ///
            /// # Errors
            /// When it is not what the type says.
            pub fn parse(text: &str) -> Result<Self, $error> {
                if $is_valid(text) { Ok(Self(text.into())) } else { Err($error) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0.into()
            }
        }
    };
}

pub(crate) use checked_text;

/// Whether the text is `least` to `most` of `[a-z0-9]`.
pub(crate) fn is_lower_alphanumeric(text: &str, (least, most): (usize, usize)) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
}

/// Whether the text can name a header or a cookie: 1 to `most` of the characters of a token (RFC 9110).
pub(crate) fn is_token(text: &str, most: usize) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=most).contains(&text.len()) && text.bytes().all(is_known)
}

/// `length` of `[a-z0-9]` that stand for these bits.
pub(crate) fn lower_alphanumeric(bits: u128, length: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let digit = |bits: u128| usize::try_from(bits % 36).ok().and_then(|place| DIGITS.get(place)).copied();
    let rest = std::iter::successors(Some(bits), |bits| Some(bits / 36));
    rest.take(length).map(|bits| char::from(digit(bits).unwrap_or(b'0'))).collect()
}
