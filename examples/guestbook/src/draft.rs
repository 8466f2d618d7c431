//! An entry before it is in the book.

/// The most letters of a name.
pub const NAME_LETTERS_MAX: usize = 40;
/// The most letters of a message.
pub const MESSAGE_LETTERS_MAX: usize = 500;

/// A name and a message that may be shown to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    name: String,
    message: String,
}

/// What is wrong with a name or a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The name is empty, too long, or has control characters.
    #[error("a name has 1 to {NAME_LETTERS_MAX} letters in one line")]
    Name,
    /// The message is empty, too long, or has control characters.
    #[error("a message has 1 to {MESSAGE_LETTERS_MAX} letters")]
    Message,
}

impl Draft {
    /// Takes what somebody wrote, without the space around it.
    ///
    /// # Errors
    /// When one of the two is empty, too long, or has control characters other than a message's ends of lines and tabs.
    pub fn new(name: &str, message: &str) -> Result<Self, DraftError> {
        // Browsers send a form's ends of lines as two characters and count them as one.
        let (name, message) = (name.trim(), message.replace("\r\n", "\n"));
        let message = message.trim();
        let letters = |text: &str, max| (1..=max).contains(&text.chars().count());
        if !letters(name, NAME_LETTERS_MAX) || name.contains(char::is_control) {
            return Err(DraftError::Name);
        }
        let unfit = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
        if !letters(message, MESSAGE_LETTERS_MAX) || message.contains(unfit) {
            return Err(DraftError::Message);
        }
        Ok(Self { name: name.to_owned(), message: message.to_owned() })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The message, whose lines end with `\n`.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, message: &str, expect: Result<(&str, &str), DraftError>) {
        let draft = Draft::new(name, message);
        let parts = draft.as_ref().map(|draft| (draft.name(), draft.message())).map_err(|error| *error);
        assert_eq!(parts, expect, "{name:?} {message:?}");
    }

    #[test]
    fn drafts() {
        check(" Ada ", "\r\none\r\n\ttwo\r\n", Ok(("Ada", "one\n\ttwo")));
        check(&"é".repeat(40), &"ß".repeat(500), Ok((&"é".repeat(40), &"ß".repeat(500))));
        check("", "hello", Err(DraftError::Name));
        check(" \t", "hello", Err(DraftError::Name));
        check(&"x".repeat(41), "hello", Err(DraftError::Name));
        check("A\ndmin", "hello", Err(DraftError::Name));
        check("Ada", " \r\n ", Err(DraftError::Message));
        check("Ada", &"x".repeat(501), Err(DraftError::Message));
        check("Ada", "be\u{7}ll", Err(DraftError::Message));
    }
}
