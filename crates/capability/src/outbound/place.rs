//! Where a request goes, read once: what is checked against the grants is what is sent.
//!
//! The host is written in many ways that different parsers read differently. Here one parser, that of the grants, reads
//! it, and the request is rewritten to what it understood, so that no later stage can understand something else.

use cumulet_spec::grant::{HostPattern, HttpOrigin, INSIDE, OriginFault};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error};

/// One scheme, host and port.
pub(super) struct Place {
    /// Never a pattern with `*`.
    origin: HttpOrigin,
    /// The host as it stands in a URL, in lower case.
    host: String,
}

/// Who answers a request.
pub(super) enum Side<'a> {
    /// A server on the network.
    Outside,
    /// The component of this name in the same app.
    Component(&'a str),
    /// Nobody: the name is kept for components, and it is not one's address.
    Nobody,
}

impl Place {
    fn read(uri: &Uri) -> Result<Self, Error> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(Error::HttpRequestUriInvalid);
        };
        let host = authority.host();
        // User information stands before the host, and there is none here.
        let port = authority.as_str().strip_prefix(host).ok_or(Error::HttpRequestUriInvalid)?;
        let host = host.strip_suffix('.').unwrap_or(host);
        let origin = HttpOrigin::parse(&format!("{scheme}://{host}{port}")).map_err(|error| match error.kind {
            OriginFault::Scheme => Error::HttpRequestDenied,
            OriginFault::Extra | OriginFault::Host | OriginFault::Wildcard | OriginFault::Port => {
                Error::HttpRequestUriInvalid
            }
        })?;
        if matches!(origin.host, HostPattern::Wildcard(_)) {
            return Err(Error::HttpRequestUriInvalid);
        }
        let host = origin.host.to_string();
        Ok(Self { origin, host })
    }

    pub(super) fn origin(&self) -> &HttpOrigin {
        &self.origin
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn side(&self) -> Side<'_> {
        if !is_inside(&self.host) {
            return Side::Outside;
        }
        let plain = self.origin.scheme == cumulet_spec::grant::Scheme::Http
            && self.origin.port == self.origin.scheme.default_port();
        match self.host.split_once('.') {
            Some((name, INSIDE)) if plain => Side::Component(name),
            _ => Side::Nobody,
        }
    }
}

/// Whether a name is one that is never looked up.
pub(super) fn is_inside(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(INSIDE))
}

/// Reads where a request goes, and rewrites it so that it can go nowhere else.
///
/// # Errors
/// When it has no host, a host that can be read in more than one way, a relative path, or a method that asks for a
/// tunnel.
pub(super) fn settle<B>(request: Request<B>) -> Result<(Place, Request<B>), Error> {
    if request.method() == Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let place = Place::read(request.uri())?;
    let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    // What is no path would be read as another place by whoever gets it in a request line.
    if !path.as_str().starts_with('/') {
        return Err(Error::HttpRequestUriInvalid);
    }
    let origin = place.origin.to_string();
    let authority = origin.split_once("://").map_or(origin.as_str(), |(_scheme, authority)| authority);
    let uri = Uri::builder().scheme(place.origin.scheme.label()).authority(authority).path_and_query(path).build();
    let (mut head, body) = request.into_parts();
    head.uri = uri.map_err(|_error| Error::HttpRequestUriInvalid)?;
    // Host among them, which the client writes itself, from the URI. The others decide on framing and connection.
    for name in &DEFAULT_FORBIDDEN_HEADERS {
        head.headers.remove(name);
    }
    Ok((place, Request::from_parts(head, body)))
}
