//! As much of HTTP/1.1 as the tests need: one message per connection, whole bodies, chunks and trailers.

use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, bail};

/// Bytes that a body may have.
const BODY_BYTES_MAX: u64 = 1 << 20;
/// Bytes that one line may have.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// Fields that a section may have.
const FIELDS_MAX: usize = 256;

/// The first line and everything after it.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) start: String,
    /// Names in lower case, in the order in which they came.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
}

impl Message {
    /// The value of the first header with this name, in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// What comes after the headers of a message that announces no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unannounced {
    /// Nothing, as in a request.
    Nothing,
    /// Everything until the end, as in a response.
    UntilClosed,
    /// Nothing whatever was announced, as in the response to a HEAD request.
    NeverABody,
}

/// Reads one message.
pub(super) fn read(stream: impl Read, unannounced: Unannounced) -> anyhow::Result<Message> {
    let mut reader = BufReader::new(stream);
    let start = line(&mut reader)?;
    let headers = fields(&mut reader)?;
    let mut message = Message { start, headers, body: Vec::new(), trailers: Vec::new() };
    let is_chunked =
        message.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    let length: Option<u64> = message.header("content-length").map(str::parse).transpose()?;
    match (unannounced, is_chunked, length) {
        (Unannounced::NeverABody, _, _) | (Unannounced::Nothing, false, None) => {}
        (_, true, _) => message.trailers = chunks(&mut reader, &mut message.body)?,
        (_, false, Some(length)) => exactly(&mut reader, length, &mut message.body)?,
        (Unannounced::UntilClosed, false, None) => {
            reader.take(BODY_BYTES_MAX).read_to_end(&mut message.body)?;
        }
    }
    Ok(message)
}

fn line(reader: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    reader.take(LINE_BYTES_MAX).read_line(&mut line)?;
    if !line.ends_with('\n') {
        bail!("the connection ended within a line: {line:?}");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn fields(reader: &mut impl BufRead) -> anyhow::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = line.split_once(':').with_context(|| format!("no field: {line:?}"))?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        if fields.len() > FIELDS_MAX {
            bail!("more than {FIELDS_MAX} fields");
        }
    }
}

fn exactly(reader: &mut impl Read, length: u64, body: &mut Vec<u8>) -> anyhow::Result<()> {
    if length + body.len() as u64 > BODY_BYTES_MAX {
        bail!("a body of more than {BODY_BYTES_MAX} bytes");
    }
    let read = reader.take(length).read_to_end(body)?;
    if read as u64 != length {
        bail!("the body ended after {read} of {length} bytes");
    }
    Ok(())
}

/// Reads chunks up to the last one, and the trailers after it.
fn chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> anyhow::Result<Vec<(String, String)>> {
    loop {
        let size = line(reader)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).with_context(|| format!("no chunk size: {size:?}"))?;
        if size == 0 {
            return fields(reader);
        }
        exactly(reader, size, body)?;
        line(reader)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_trailers() {
        let text =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4;x=y\r\nmore\r\n0\r\nX-Sum: 7\r\n\r\n";
        let message = read(text.as_bytes(), Unannounced::Nothing).unwrap();
        assert_eq!(message.start, "POST / HTTP/1.1");
        assert_eq!(message.body, b"onemore");
        assert_eq!(message.trailers, [("x-sum".to_owned(), "7".to_owned())]);
    }

    #[test]
    fn bodies_by_length_and_by_end() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhey";
        assert_eq!(read(text.as_bytes(), Unannounced::UntilClosed).unwrap().body, b"he");
        let text = "HTTP/1.1 200 OK\r\n\r\nhey";
        assert_eq!(read(text.as_bytes(), Unannounced::UntilClosed).unwrap().body, b"hey");
        assert_eq!(read(text.as_bytes(), Unannounced::Nothing).unwrap().body, b"");
    }

    #[test]
    fn what_ends_early_is_an_error() {
        for text in
            ["HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhey", "HTTP/1.1 200 OK\r\nname\r\n\r\n"]
        {
            assert!(read(text.as_bytes(), Unannounced::UntilClosed).is_err(), "{text:?} was accepted");
        }
    }
}
