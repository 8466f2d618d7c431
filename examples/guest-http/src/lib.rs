//! The few lines of `wasi:http` 0.2 that the example apps share: a request to read, a reply to send, a URL to fetch, and
//! text that is safe in HTML and JSON.
//!
//! Everything blocks: an invocation has an isolate of its own, so there is nothing else to do while it waits, and no
//! executor has to be carried along.

#[cfg(target_family = "wasm")]
mod fetch;
mod html;
mod json;
mod query;
mod reply;
mod url;
#[cfg(target_family = "wasm")]
mod wire;

#[cfg(target_family = "wasm")]
pub use fetch::{FetchError, Fetched, fetch};
pub use html::{Html, Reader, page};
pub use json::Json;
pub use query::Query;
pub use reply::Reply;
pub use url::{Scheme, URL_BYTES_MAX, Url, UrlError};
#[cfg(target_family = "wasm")]
pub use wire::{Body, Incoming, send, write_all};

use std::io::Read;

/// Why a body could not be read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than the limit.
    TooLarge,
    /// The client or the connection broke off.
    Broken,
}

/// Reads a whole body of at most `max` bytes.
///
/// # Errors
/// When the body is longer, or ends before it is complete.
pub fn read_all(body: impl Read, max: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    body.take(max as u64 + 1).read_to_end(&mut bytes).map_err(|_| BodyError::Broken)?;
    if bytes.len() > max { Err(BodyError::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_not() {
        assert_eq!(read_all(&b"abc"[..], 3), Ok(b"abc".to_vec()));
        assert_eq!(read_all(&b"abcd"[..], 3), Err(BodyError::TooLarge));
    }
}
