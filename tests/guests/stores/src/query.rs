//! What a request asks for.

use std::str::FromStr;

/// The arguments of a request.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// The last segment of a path, and the arguments behind it.
    pub fn of(target: &str) -> (&str, Self) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect();
        (path.rsplit('/').next().unwrap_or(""), Self(pairs))
    }

    /// An argument, empty if it is not there.
    pub fn text(&self, key: &str) -> &str {
        self.0.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    /// An argument as something that has a text form, if it is there and is that.
    pub fn parsed<T: FromStr>(&self, key: &str) -> Option<T> {
        self.text(key).parse().ok()
    }
}

/// `+` and `%XX` as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits = |rest: &mut std::str::Bytes<'_>| Some([rest.next()?, rest.next()?]);
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = digits(&mut rest).unwrap_or(*b"20");
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap_or("20"), 16).unwrap_or(b' ')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
