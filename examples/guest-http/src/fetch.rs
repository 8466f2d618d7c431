//! Fetches a URL whose origin the manifest grants.

use std::fmt::{self, Display};
use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingRequest, RequestOptions, Scheme as WireScheme};

use crate::{Body, Scheme, Url};

/// A response that came back.
#[derive(Debug)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// The body, to be read.
    pub body: Body,
}

/// Why there is no response.
#[derive(Debug)]
pub enum FetchError {
    /// The manifest does not grant the URL's origin.
    Denied,
    /// The server could not be reached, or broke off, or took too long.
    Failed(ErrorCode),
    /// The host refused the request before it was sent.
    Unsendable,
}

impl Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("the manifest does not grant its origin"),
            Self::Failed(ErrorCode::DnsError(_)) => f.write_str("its name is not known"),
            Self::Failed(ErrorCode::DestinationIpProhibited) => f.write_str("its address may not be reached"),
            Self::Failed(ErrorCode::ConnectionRefused) => f.write_str("the connection was refused"),
            Self::Failed(ErrorCode::ConnectionTimeout | ErrorCode::HttpResponseTimeout) => {
                f.write_str("it took too long")
            }
            Self::Failed(_) => f.write_str("there was no response"),
            Self::Unsendable => f.write_str("the request cannot be sent"),
        }
    }
}

impl std::error::Error for FetchError {}

impl From<ErrorCode> for FetchError {
    fn from(code: ErrorCode) -> Self {
        if matches!(code, ErrorCode::HttpRequestDenied) { Self::Denied } else { Self::Failed(code) }
    }
}

/// Sends a `GET` and waits for the head of the response. `timeout` bounds the connection's opening and, anew, the
/// waiting; redirections are not followed.
///
/// # Errors
/// When no response came back.
pub fn fetch(url: &Url<'_>, accept: &str, timeout: Duration) -> Result<Fetched, FetchError> {
    let request = request(url, accept).ok_or(FetchError::Unsendable)?;
    let options = options(timeout).ok_or(FetchError::Unsendable)?;
    let body = request.body().map_err(|()| FetchError::Unsendable)?;
    let pending = outgoing_handler::handle(request, Some(options))?;
    OutgoingBody::finish(body, None)?;
    let response = loop {
        match pending.get() {
            Some(Ok(response)) => break response?,
            Some(Err(())) => return Err(FetchError::Unsendable),
            None => pending.subscribe().block(),
        }
    };
    let body = response.consume().ok().and_then(Body::new).ok_or(FetchError::Unsendable)?;
    Ok(Fetched { status: response.status(), body })
}

fn request(url: &Url<'_>, accept: &str) -> Option<OutgoingRequest> {
    let headers = Fields::from_list(&[("accept".to_owned(), accept.as_bytes().to_vec())]).ok()?;
    let request = OutgoingRequest::new(headers);
    let scheme = match url.scheme() {
        Scheme::Http => WireScheme::Http,
        Scheme::Https => WireScheme::Https,
    };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(Some(url.authority())).ok()?;
    request.set_path_with_query(Some(&url.path_and_query())).ok()?;
    Some(request)
}

fn options(timeout: Duration) -> Option<RequestOptions> {
    let nanoseconds = u64::try_from(timeout.as_nanos()).ok();
    let options = RequestOptions::new();
    options.set_connect_timeout(nanoseconds).ok()?;
    options.set_first_byte_timeout(nanoseconds).ok()?;
    options.set_between_bytes_timeout(nanoseconds).ok()?;
    Some(options)
}
