//! A place in an app's log, from which reading goes on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A place in an app's log: behind an entry of a segment.
///
/// Its text is for programs to keep and give back; nothing follows from what is in it. Segments that were begun anew under
/// the same number are told apart by when they were begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    pub(super) number: u64,
    /// In bytes from the beginning of the file; 0 behind a segment that cannot be read.
    pub(super) offset: u64,
    pub(super) began_us: u64,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a cursor of a log: give back what came with the entries, as it was")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}-{:x}", self.number, self.offset, self.began_us)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('-').map(number);
        let mut next = || parts.next().flatten().ok_or(CursorError);
        let cursor = Self { number: next()?, offset: next()?, began_us: next()? };
        if parts.next().is_some() { Err(CursorError) } else { Ok(cursor) }
    }
}

/// Hex digits alone: the standard library takes a sign as well.
fn number(text: &str) -> Option<u64> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

impl TryFrom<String> for Cursor {
    type Error = CursorError;

    fn try_from(text: String) -> Result<Self, CursorError> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back() {
        let cursor = Cursor { number: 7, offset: 4_096, began_us: 1_795_219_200_000_000 };
        assert_eq!((cursor.to_string().as_str(), cursor.to_string().parse()), ("7-1000-660be0ab5c000", Ok(cursor)));
        for bad in ["", "1-2", "1-2-3-4", "1-2-", "+1-2-3", "1-2-G", "1-2-10000000000000000", "é-1-1"] {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError), "{bad}");
        }
    }
}
