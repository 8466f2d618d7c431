//! What is wrong with a document, and where.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong, or probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What is wrong: a fragment in lower case.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place in a text as people count it: lines from 1, columns in characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Problem {
    /// A problem without help.
    #[must_use]
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// The same problem with help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Where it starts in the text that the problem is about.
    #[must_use]
    pub fn position(&self, text: &str) -> Position {
        Position::of(text, self.span.start)
    }
}

impl Position {
    /// The place of a byte; beyond the end, the end.
    #[must_use]
    pub fn of(text: &str, byte: usize) -> Self {
        let before = text.char_indices().take_while(|(place, _)| *place < byte);
        before.fold(Self { line: 1, column: 1 }, |at, (_, char)| match char {
            '\n' => Self { line: at.line + 1, column: 1 },
            _ => Self { line: at.line, column: at.column + 1 },
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let check = |byte, expect: &str| assert_eq!(Position::of("ab\né = 1\n", byte).to_string(), expect);
        check(0, "1:1");
        check(1, "1:2");
        check(3, "2:1");
        check(5, "2:2");
        check(99, "3:1");
    }
}
