//! The query of a URL, and the body of a form: pairs of names and values.

use std::string::FromUtf8Error;

/// A query string, as it stands after the `?`; a form that is posted as `application/x-www-form-urlencoded` is one, too.
#[derive(Debug, Clone, Copy)]
pub struct Query<'q>(&'q str);

impl<'q> Query<'q> {
    /// Takes the text after the `?`, without it.
    #[must_use]
    pub fn new(text: &'q str) -> Self {
        Self(text)
    }

    /// The first value under a name, decoded; `None` where there is none. What is not UTF-8 is replaced.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.pairs().find(|(key, _)| decode(key) == name).map(|(_, value)| decode(value))
    }

    /// The first value under a name, decoded, which has to be UTF-8; `None` where there is none.
    ///
    /// # Errors
    /// When the value is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<String>, FromUtf8Error> {
        let value = self.pairs().find(|(key, _)| decode(key) == name).map(|(_, value)| value);
        value.map(|value| String::from_utf8(bytes(value))).transpose()
    }

    /// All names, decoded, in the order in which they stand.
    pub fn names(&self) -> impl Iterator<Item = String> + use<'q> {
        self.pairs().map(|(key, _)| decode(key))
    }

    fn pairs(&self) -> impl Iterator<Item = (&'q str, &'q str)> + use<'q> {
        self.0.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }
}

fn decode(text: &str) -> String {
    String::from_utf8_lossy(&bytes(text)).into_owned()
}

/// Undoes percent-encoding and `+`. What only looks like percent-encoding is left as it is.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (byte, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, tail @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = tail;
                    (high << 4) | low
                }
                _ => b'%',
            },
            _ => *byte,
        });
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, name: &str, expect: Option<&str>) {
        assert_eq!(Query::new(query).get(name).as_deref(), expect, "{name} in {query}");
    }

    #[test]
    fn values() {
        finds("", "w", None);
        finds("w=1&h=2", "h", Some("2"));
        finds("w=1&w=2", "w", Some("1"));
        finds("w", "w", Some(""));
        finds("a=b+c%20d%zz%4", "a", Some("b c d%zz%4"));
        assert_eq!(Query::new("a=%C3%A9").text("a"), Ok(Some("é".to_owned())));
        assert!(Query::new("a=%FF").text("a").is_err());
        finds("%61=%C3%A9%FF", "a", Some("é\u{fffd}"));
    }
}
