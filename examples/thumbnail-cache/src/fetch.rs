//! The picture's server as the host reaches it.

use std::time::Duration;

use guest_http::{Body, FetchError};

use crate::ask::Thumbnail;
use crate::source::{Source, SourceError};

/// How long a connection may take to open, a response to begin, and its body to go on.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Fetches a picture.
pub(crate) fn fetch(thumbnail: &Thumbnail<'_>) -> Result<Source<Body>, SourceError> {
    match guest_http::fetch(&thumbnail.url, "image/jpeg, image/png, image/webp", TIMEOUT) {
        Ok(fetched) => Ok(Source { status: fetched.status, body: fetched.body }),
        Err(FetchError::Denied) => Err(SourceError::Denied),
        Err(error) => Err(SourceError::Failed(error.to_string())),
    }
}
