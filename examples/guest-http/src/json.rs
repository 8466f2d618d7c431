//! JSON that is written by hand: a text is all that needs care.

use std::fmt::{self, Display, Write};

/// A text as a JSON string, with its quotes.
#[derive(Debug, Clone, Copy)]
pub struct Json<'t>(pub &'t str);

impl Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => write!(f, "\\{letter}")?,
                control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
                plain => f.write_char(plain)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        assert_eq!(Json("a \"b\" \\ é\n").to_string(), r#""a \"b\" \\ é\u000a""#);
    }
}
