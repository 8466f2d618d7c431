//! The query of a URL: pairs of names and values.

/// A query string, as it stands after the `?`.
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

    /// All names, decoded, in the order in which they stand.
    pub fn names(&self) -> impl Iterator<Item = String> + use<'q> {
        self.pairs().map(|(key, _)| decode(key))
    }

    fn pairs(&self) -> impl Iterator<Item = (&'q str, &'q str)> + use<'q> {
        self.0.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }
}

fn decode(text: &str) -> String {
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
    String::from_utf8_lossy(&bytes).into_owned()
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
        finds("%61=%C3%A9%FF", "a", Some("é\u{fffd}"));
    }
}
