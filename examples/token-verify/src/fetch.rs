//! Fetches the key set. An isolate that lives for one request can keep nothing: the node keeps the response for it, as an
//! RFC 9111 private cache, where the manifest's grant says `cache = true`.

use std::time::Duration;

use guest_http::{Url, read_all};

use crate::answer::NoKeys;
use crate::keys::KEY_SET_BYTES_MAX;

/// How long a connection may take to open, and how long a response to begin.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Fetches a key set from a URL.
pub(crate) fn fetch(url: &str) -> Result<Vec<u8>, NoKeys> {
    get(url).map_err(NoKeys::Unreachable)
}

fn get(url: &str) -> Result<Vec<u8>, String> {
    let url = Url::parse(url).map_err(|error| format!("JWKS_URL: {error}"))?;
    let accept = "application/jwk-set+json, application/json";
    let fetched = guest_http::fetch(&url, accept, TIMEOUT).map_err(|error| error.to_string())?;
    if fetched.status != 200 {
        return Err("its status is not 200".to_owned());
    }
    read_all(fetched.body, KEY_SET_BYTES_MAX).map_err(|_| "the response is too large, or broke off".to_owned())
}
