//! The header block of a program's answer: bytes of a guest, so nothing in them is believed.

use bytes::{Buf as _, Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::response::Parts;
use std::fmt;
use thiserror::Error;

/// The largest header block of an answer, its empty line included, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The most fields that it may have.
const FIELDS_MAX: usize = 100;
/// How much of a line is shown, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// Fields that are the server's, because they are about the connection. RFC 3875 lets a server remove them (6.3.4).
const REMOVED: [&str; 8] =
    ["connection", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/// A header block that cannot be one.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum HeadError {
    /// It does not end.
    #[error("its answer has no empty line after the header within {HEAD_BYTES_MAX} bytes")]
    Endless,
    /// The program ended before it did.
    #[error("it ended after {0} bytes of output, without an empty line after the header")]
    Unfinished(usize),
    /// There are more fields than are taken.
    #[error("its answer has more than {FIELDS_MAX} header fields")]
    TooMany,
    /// One line is not a field.
    #[error("line {line} of its answer's header, {text}, {what}")]
    Line {
        /// Which, counted from 1.
        line: usize,
        /// Its beginning.
        text: Shown,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No field says that it is meant as an answer.
    #[error("its answer's header has none of `Content-Type`, `Status` and `Location`")]
    Bare,
}

/// The beginning of a line, with everything escaped that is no plain text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown(String);

impl Shown {
    fn of(line: &[u8]) -> Self {
        Self(String::from_utf8_lossy(line).chars().take(SHOWN_CHARS_MAX).collect())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A header block on its way.
#[derive(Debug, Default)]
pub(super) struct HeadBuffer {
    bytes: BytesMut,
    /// Where the line begins that is not complete.
    line: usize,
    /// Up to where that line was looked through.
    seen: usize,
}

impl HeadBuffer {
    /// Takes bytes until the block is complete. What is left of them is the body's.
    ///
    /// # Errors
    /// When it is too long, or complete and no header.
    pub(super) fn push(&mut self, bytes: &mut Bytes) -> Result<Option<Parts>, HeadError> {
        let room = HEAD_BYTES_MAX.saturating_sub(self.bytes.len()).min(bytes.len());
        let before = self.bytes.len();
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        let Some(end) = self.end() else {
            bytes.advance(room);
            return if bytes.is_empty() { Ok(None) } else { Err(HeadError::Endless) };
        };
        bytes.advance(end.saturating_sub(before));
        parse(self.bytes.get(..end).unwrap_or_default()).map(Some)
    }

    /// Why the block is no header, if nothing follows.
    pub(super) fn unfinished(&self) -> HeadError {
        HeadError::Unfinished(self.bytes.len())
    }

    /// Where the block ends: behind its empty line.
    fn end(&mut self) -> Option<usize> {
        loop {
            let rest = self.bytes.get(self.seen..).unwrap_or_default();
            let Some(found) = rest.iter().position(|byte| *byte == b'\n') else {
                self.seen = self.bytes.len();
                return None;
            };
            let newline = self.seen + found;
            let is_empty = matches!(self.bytes.get(self.line..newline), Some([] | [b'\r']));
            (self.line, self.seen) = (newline + 1, newline + 1);
            if is_empty {
                return Some(self.line);
            }
        }
    }
}

/// Reads a complete block.
fn parse(block: &[u8]) -> Result<Parts, HeadError> {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    let (mut status, mut is_meant) = (None, false);
    let lines = block.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for (number, line) in lines.take_while(|line| !line.is_empty()).enumerate() {
        let wrong = |what| HeadError::Line { line: number + 1, text: Shown::of(line), what };
        if number == FIELDS_MAX {
            return Err(HeadError::TooMany);
        }
        let (name, value) = field(line).map_err(wrong)?;
        if name == "status" {
            let code = status_code(value).ok_or_else(|| wrong("is no status from 200 to 599"))?;
            if status.replace(code).is_some() {
                return Err(wrong("is a second status"));
            }
            continue;
        }
        if name == CONTENT_LENGTH && (!is_length(value) || parts.headers.contains_key(&name)) {
            return Err(wrong("is no length, or a second one"));
        }
        is_meant |= name == CONTENT_TYPE || name == LOCATION;
        if !REMOVED.contains(&name.as_str()) {
            let value =
                HeaderValue::from_bytes(value).map_err(|_| wrong("has a value that no header field may have"))?;
            parts.headers.append(name, value);
        }
    }
    if !is_meant && status.is_none() {
        return Err(HeadError::Bare);
    }
    let is_elsewhere = parts.headers.contains_key(LOCATION);
    parts.status = status.unwrap_or(if is_elsewhere { StatusCode::FOUND } else { StatusCode::OK });
    Ok(parts)
}

fn field(line: &[u8]) -> Result<(HeaderName, &[u8]), &'static str> {
    if line.starts_with(b"HTTP/") {
        return Err("is the status line of HTTP; with CGI it is `Status: 200 OK`");
    }
    let colon = line.iter().position(|byte| *byte == b':').ok_or("is no header field: it has no colon")?;
    let (name, value) = line.split_at(colon);
    let name = HeaderName::from_bytes(name).map_err(|_| "has a name that no header field may have")?;
    Ok((name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// The code of a status such as `404 Not Found`. The words are the server's own.
fn status_code(value: &[u8]) -> Option<StatusCode> {
    let (digits, words) = value.split_at_checked(3)?;
    let code = StatusCode::from_bytes(digits).ok()?;
    let is_code = words.is_empty() || words.starts_with(b" ");
    (is_code && (200..600).contains(&code.as_u16())).then_some(code)
}

/// Whether a value is what a body's framing can be told by.
fn is_length(value: &[u8]) -> bool {
    let digits = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.is_some_and(|digits| digits.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests;
