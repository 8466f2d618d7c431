//! What the component answers, apart from how it is sent.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The most bytes that `/stream` writes: 16 GiB.
pub const STREAM_BYTES_MAX: u64 = 16 << 30;
/// Bytes in one chunk of `/stream`.
pub const STREAM_CHUNK_BYTES: usize = 64 * 1024;
/// The content type of everything short.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// The content type of `/stream`.
pub const BYTES: &str = "application/octet-stream";
/// The most bytes of a name that the greeting repeats.
const NAME_BYTES_MAX: usize = 64;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Page {
    /// `/`: a greeting, already written out.
    Greeting(String),
    /// `/count`: how many requests this instance has counted, which is 1 where every request has its own.
    Count,
    /// `/echo`: the request's body and trailers, sent back as they arrive.
    Echo,
    /// `/stream?bytes=N`: that many bytes.
    Stream(u64),
    /// Anything that cannot be served: a status code and one line of text.
    Refused(u16, &'static str),
}

/// Chooses the page for a path with its query, as in `/stream?bytes=10`.
#[must_use]
pub fn page(path_and_query: &str) -> Page {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    match path {
        "/" => Page::Greeting(greeting(parameter(query, "name"))),
        "/count" => Page::Count,
        "/echo" => Page::Echo,
        "/stream" => stream(parameter(query, "bytes")),
        _ => Page::Refused(404, "no such page; try /, /count, /echo or /stream?bytes=N\n"),
    }
}

/// The headers of a response: names in lower case, with values.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The headers of a response whose length is known.
#[must_use]
pub fn headers(content_type: &str, length: u64) -> Headers {
    Vec::from([
        ("content-type".into(), content_type.as_bytes().to_vec()),
        ("content-length".into(), length.to_string().into_bytes()),
    ])
}

/// The headers of an echo: the request's own, as far as they speak about the body. HTTP/1.1 sends only those trailers
/// that `trailer` announces.
pub fn echoed(request: impl Fn(&str) -> Vec<Vec<u8>>) -> Headers {
    let mut headers: Headers = Vec::new();
    for name in ["content-type", "trailer"] {
        headers.extend(request(name).into_iter().map(|value| (name.into(), value)));
    }
    headers
}

fn stream(bytes: Option<&str>) -> Page {
    match bytes.unwrap_or("0").parse() {
        Ok(bytes) if bytes <= STREAM_BYTES_MAX => Page::Stream(bytes),
        _ => Page::Refused(400, "bytes must be a whole number up to 17179869184\n"),
    }
}

fn greeting(name: Option<&str>) -> String {
    let name = name.map(decode).filter(|name| !name.is_empty());
    let name = name.as_deref().unwrap_or("world");
    let mut text = String::with_capacity(name.len() + "Hello, !\n".len());
    for part in ["Hello, ", name, "!\n"] {
        text.push_str(part);
    }
    text
}

fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Undoes percent-encoding and `+`; what is not UTF-8, too long or a control character is left out.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len().min(NAME_BYTES_MAX));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if bytes.len() == NAME_BYTES_MAX {
            break;
        }
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok()).unwrap_or(b'?')
            }
            plain => plain,
        });
    }
    let mut name = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        name.extend(part.valid().chars().filter(|letter| !letter.is_control()));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greets(path: &str, expect: &str) {
        assert_eq!(page(path), Page::Greeting(expect.into()), "{path}");
    }

    #[test]
    fn greetings() {
        greets("/", "Hello, world!\n");
        greets("/?name=", "Hello, world!\n");
        greets("/?name=Ada", "Hello, Ada!\n");
        greets("/?x=1&name=Ada+L%C3%B6we", "Hello, Ada Löwe!\n");
        greets("/?name=a%0D%0Ab%zz%f", "Hello, ab??!\n");
        greets("/?name=%FF%FEx", "Hello, x!\n");
        greets(&alloc::format!("/?name={}", "é".repeat(64)), &alloc::format!("Hello, {}!\n", "é".repeat(32)));
    }

    #[test]
    fn other_pages() {
        assert_eq!(page("/count"), Page::Count);
        assert_eq!(page("/echo?x"), Page::Echo);
        assert_eq!(page("/stream?bytes=131073"), Page::Stream(131_073));
        assert_eq!(page("/stream"), Page::Stream(0));
        for (path, status) in [("/stream?bytes=-1", 400), ("/stream?bytes=17179869185", 400), ("/nope", 404), ("", 404)]
        {
            assert!(matches!(page(path), Page::Refused(code, _) if code == status), "{path}");
        }
    }
}
