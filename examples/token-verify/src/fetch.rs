//! Fetches the key set. An isolate that lives for one request can keep nothing: the node keeps the response for it, as an
//! RFC 9111 private cache, where the manifest's grant says `cache = true`.

use guest_http::{Body, read_all};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingBody, OutgoingRequest, RequestOptions, Scheme};

use crate::answer::NoKeys;
use crate::keys::KEY_SET_BYTES_MAX;

/// How long a connection may take to open, and how long a response to begin, in nanoseconds: 3 s each.
const TIMEOUT: u64 = 3_000_000_000;

/// Fetches a key set from a URL.
pub(crate) fn fetch(url: &str) -> Result<Vec<u8>, NoKeys> {
    get(url).map_err(|why| NoKeys::Unreachable(why.to_owned()))
}

fn get(url: &str) -> Result<Vec<u8>, &'static str> {
    let request = request(url)?;
    let options = RequestOptions::new();
    let unset = |()| "the host takes no time limits";
    options.set_connect_timeout(Some(TIMEOUT)).map_err(unset)?;
    options.set_first_byte_timeout(Some(TIMEOUT)).map_err(unset)?;
    let body = request.body().map_err(|()| "the request cannot be made")?;
    let pending = outgoing_handler::handle(request, Some(options)).map_err(|_| "the request was refused")?;
    OutgoingBody::finish(body, None).map_err(|_| "the request cannot be sent")?;
    let response = loop {
        match pending.get() {
            Some(Ok(Ok(response))) => break response,
            Some(_) => return Err("there was no response"),
            None => pending.subscribe().block(),
        }
    };
    if response.status() != 200 {
        return Err("its status is not 200");
    }
    let body = response.consume().ok().and_then(Body::new).ok_or("the response has no body")?;
    read_all(body, KEY_SET_BYTES_MAX).map_err(|_| "the response is too large, or broke off")
}

fn request(url: &str) -> Result<OutgoingRequest, &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or("JWKS_URL is not a URL")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err("JWKS_URL is neither http nor https"),
    };
    let path = rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/"));
    let authority = rest.split('/').next().unwrap_or_default();
    let headers = [("accept".to_owned(), b"application/jwk-set+json, application/json".to_vec())];
    let headers = Fields::from_list(&headers).map_err(|_| "the request cannot be made")?;
    let request = OutgoingRequest::new(headers);
    let set = request.set_scheme(Some(&scheme));
    let set = set.and_then(|()| request.set_authority(Some(authority)));
    set.and_then(|()| request.set_path_with_query(Some(path))).map_err(|()| "JWKS_URL is not a URL")?;
    Ok(request)
}
