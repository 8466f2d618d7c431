//! The last part of a short link.

use std::fmt::{self, Display};

/// The most letters that a slug may have.
pub const SLUG_LETTERS_MAX: usize = 32;

/// The digits of base 62.
const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// 1 to [`SLUG_LETTERS_MAX`] letters of `A-Z a-z 0-9 _ -`: it needs no encoding anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(String);

/// What a slug has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {SLUG_LETTERS_MAX} letters out of A-Z, a-z, 0-9, _ and -")]
pub struct SlugError;

impl Slug {
    /// Takes a slug that somebody wrote.
    ///
    /// # Errors
    /// When it does not look like one.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if (1..=SLUG_LETTERS_MAX).contains(&text.len()) && fits { Ok(Self(text.to_owned())) } else { Err(SlugError) }
    }

    /// The slug of a number: the number in base 62.
    #[must_use]
    pub fn of_number(mut number: u64) -> Self {
        let mut letters = Vec::new();
        loop {
            let digit = usize::try_from(number % 62).ok().and_then(|digit| DIGITS.get(digit));
            letters.extend(digit.copied().map(char::from));
            number /= 62;
            if number == 0 {
                return Self(letters.into_iter().rev().collect());
            }
        }
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_base_62() {
        for (number, slug) in [(0, "0"), (1, "1"), (10, "a"), (61, "Z"), (62, "10"), (u64::MAX, "lYGhA16ahyf")] {
            assert_eq!(Slug::of_number(number).as_str(), slug);
            assert!(Slug::parse(slug).is_ok());
        }
    }

    #[test]
    fn names() {
        assert!(Slug::parse("Team_2-go").is_ok());
        assert!(Slug::parse(&"x".repeat(32)).is_ok());
        for bad in ["", "a b", "a/b", "stats.json", "é", "..", &"x".repeat(33)] {
            assert_eq!(Slug::parse(bad), Err(SlugError), "{bad}");
        }
    }
}
