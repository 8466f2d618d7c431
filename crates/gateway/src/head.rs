//! Message heads: what a request's head must hold before anyone sees it, and what a response's must not let out.
//!
//! One pass over the fields each, without an allocation on the usual path. Framing itself (conflicting lengths,
//! unknown transfer codings, malformed lines) is hyper's, which refuses it or closes the connection after it.

use cumulet_spec::id::RequestId;
use cumulet_spec::outcome::Outcome;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode, Uri, Version};
use http_body::Body;

use crate::config::{GatewayConfig, HEADER_COUNT_MAX};
use crate::reply::Format;

/// The field that carries a request's id, both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Fields that belong to one connection and no message that crosses it (RFC 9110, 7.6.1).
const CONNECTION_FIELDS: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Why the gateway answers a request by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The head is well-formed HTTP and still wrong: no `host`, two of them, a target that is no path.
    BadRequest,
    /// The request target is longer than its bound.
    UriTooLong,
    /// The head has more fields than [`HEADER_COUNT_MAX`].
    TooManyHeaders,
    /// The declared length of the body is over its bound.
    BodyTooLarge,
    /// `CONNECT`: this is no proxy.
    Connect,
}

impl Refusal {
    /// The status that the client gets.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Connect => StatusCode::NOT_IMPLEMENTED,
        }
    }

    /// The outcome under which it is counted; `None` for a message that was wrong as HTTP.
    #[must_use]
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::UriTooLong | Self::TooManyHeaders | Self::BodyTooLarge => Some(Outcome::TooLarge),
            Self::BadRequest | Self::Connect => None,
        }
    }

    /// What the client is told.
    #[must_use]
    pub const fn public_text(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is malformed.",
            Self::UriTooLong => "The request target is too long.",
            Self::TooManyHeaders => "The request has too many headers.",
            Self::BodyTooLarge => Outcome::TooLarge.public_text(),
            Self::Connect => "The server is not a proxy.",
        }
    }
}

/// What a request's head said.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// The id that came in, if it is a valid one.
    pub(crate) id: Option<RequestId>,
    /// How an error is to be written.
    pub(crate) format: Format,
    /// Why the request goes no further.
    pub(crate) refusal: Option<Refusal>,
}

/// What one pass over the fields of a request found.
#[derive(Debug, Default)]
struct Fields {
    id: Option<RequestId>,
    format: Format,
    hosts: u32,
    bad_host: bool,
    connection: bool,
}

/// Checks a request's head against the bounds and cleans it.
pub(crate) fn inspect<B: Body>(request: &mut Request<B>, config: &GatewayConfig) -> Inspection {
    let fields = scan(request.headers());
    let refusal = check(request, &fields, config).err();
    if refusal.is_none() {
        if fields.connection {
            strip_connection_fields(request.headers_mut());
        }
        adopt_target_host(request);
    }
    Inspection { id: fields.id, format: fields.format, refusal }
}

fn scan(headers: &HeaderMap) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in headers {
        match *name {
            header::HOST => {
                fields.hosts += 1;
                fields.bad_host |= !is_host(value.as_bytes());
            }
            header::ACCEPT => fields.format = fields.format.or_accepted(value.as_bytes()),
            header::CONNECTION | header::TE | header::TRANSFER_ENCODING | header::UPGRADE => fields.connection = true,
            _ => match name.as_str() {
                "x-request-id" => fields.id = RequestId::parse(value.as_bytes()),
                "keep-alive" | "proxy-connection" | "http2-settings" => fields.connection = true,
                _ => {}
            },
        }
    }
    fields
}

fn check<B: Body>(request: &Request<B>, fields: &Fields, config: &GatewayConfig) -> Result<(), Refusal> {
    let uri = request.uri();
    if *request.method() == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    if target_bytes(uri) > config.uri_bytes_max {
        return Err(Refusal::UriTooLong);
    }
    if request.headers().len() > HEADER_COUNT_MAX {
        return Err(Refusal::TooManyHeaders);
    }
    let path = uri.path();
    let is_path = path.starts_with('/') || (path == "*" && *request.method() == Method::OPTIONS);
    if !is_path || fields.bad_host || !has_one_host(request, fields.hosts) {
        return Err(Refusal::BadRequest);
    }
    if request.body().size_hint().lower() > config.body_bytes_max {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(())
}

/// RFC 9112, 3.2 and RFC 9113, 8.3.1: who is asked must be said once, and never in two ways.
fn has_one_host<B>(request: &Request<B>, hosts: u32) -> bool {
    let authority = request.uri().authority();
    if authority.is_some_and(|authority| authority.as_str().contains('@')) {
        return false;
    }
    match (request.version(), authority) {
        (Version::HTTP_2, Some(authority)) => {
            let host = request.headers().get(header::HOST);
            hosts == 0 || (hosts == 1 && host.is_some_and(|host| host.as_bytes() == authority.as_str().as_bytes()))
        }
        (Version::HTTP_10, _) => hosts <= 1,
        _ => hosts == 1,
    }
}

fn target_bytes(uri: &Uri) -> usize {
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    path + uri.authority().map_or(0, |authority| authority.as_str().len())
}

/// The bytes that a host and a port are made of; anything else would be read differently by different readers.
fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'@' | b',' | b'\\' | b'"' | b'<' | b'>')
    })
}

/// An absolute request target overrules `host` (RFC 9112, 3.2.2), so that nobody downstream reads another one.
fn adopt_target_host<B>(request: &mut Request<B>) {
    if request.version() == Version::HTTP_2 {
        return;
    }
    let Some(authority) = request.uri().authority() else { return };
    if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        request.headers_mut().insert(header::HOST, host);
    }
}

fn strip_connection_fields(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        // A client that names these does not describe its connection: it wants them unseen.
        .filter(|name| *name != header::HOST && *name != header::CONTENT_LENGTH)
        .collect();
    for name in named.iter().chain(&CONNECTION_FIELDS) {
        headers.remove(name);
    }
}

/// Takes out of a response what belongs to the connection, and a length that its body contradicts: with the length
/// of the body known, hyper frames by the body and would let the wrong length out.
pub(crate) fn clean_response(headers: &mut HeaderMap, body_bytes: Option<u64>, bodiless: bool) {
    let mut connection = false;
    let mut lengths = 0_u32;
    let mut declared = None;
    for (name, value) in &*headers {
        match *name {
            header::CONNECTION | header::TE | header::TRANSFER_ENCODING | header::UPGRADE => connection = true,
            header::CONTENT_LENGTH => {
                lengths += 1;
                declared = parse_length(value.as_bytes());
            }
            _ => connection |= matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings"),
        }
    }
    if connection {
        for name in &CONNECTION_FIELDS {
            headers.remove(name);
        }
    }
    if lengths == 0 {
        return;
    }
    let agrees = match (declared, body_bytes) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(declared), Some(actual)) => declared == actual || (bodiless && actual == 0),
    };
    if lengths > 1 || !agrees {
        headers.remove(header::CONTENT_LENGTH);
    }
}

fn parse_length(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}
