//! The host's side of a request and a reply.

use std::io::{self, Read};

use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::{BodyError, Query, Reply, read_all};

/// A request that came in.
#[derive(Debug)]
pub struct Incoming {
    request: IncomingRequest,
    target: String,
}

impl Incoming {
    /// Takes what the handler was given.
    #[must_use]
    pub fn new(request: IncomingRequest) -> Self {
        let target = request.path_with_query().unwrap_or_default();
        Self { request, target }
    }

    /// The method, by its name.
    #[must_use]
    pub fn method(&self) -> String {
        match self.request.method() {
            Method::Get => "GET".into(),
            Method::Head => "HEAD".into(),
            Method::Post => "POST".into(),
            Method::Put => "PUT".into(),
            Method::Delete => "DELETE".into(),
            Method::Connect => "CONNECT".into(),
            Method::Options => "OPTIONS".into(),
            Method::Trace => "TRACE".into(),
            Method::Patch => "PATCH".into(),
            Method::Other(name) => name,
        }
    }

    /// How the client reached this app, as `http://HOST:PORT`; empty where it did not say.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = match self.request.scheme() {
            Some(Scheme::Https) => "https",
            _ => "http",
        };
        let authority = self.request.authority().or_else(|| self.header("host"));
        authority.map(|authority| format!("{scheme}://{authority}")).unwrap_or_default()
    }

    /// The path, as it was sent.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query.
    #[must_use]
    pub fn query(&self) -> Query<'_> {
        Query::new(self.target.split_once('?').map_or("", |(_, query)| query))
    }

    /// The first value of a header, if it is there and is UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).into_iter().next().and_then(|value| String::from_utf8(value).ok())
    }

    /// The body, to be read once; `None` where it was taken before.
    #[must_use]
    pub fn body(&self) -> Option<Body> {
        Body::new(self.request.consume().ok()?)
    }

    /// The whole body, to be read once; empty where it was taken before.
    ///
    /// # Errors
    /// The reply for a body that is longer than `max` bytes, or broke off.
    pub fn whole_body(&self, max: usize) -> Result<Vec<u8>, Reply> {
        let Some(body) = self.body() else { return Ok(Vec::new()) };
        read_all(body, max).map_err(|error| match error {
            BodyError::TooLarge => {
                Reply::problem(413, "the body is too large", &format!("{max} bytes are taken at most"))
            }
            BodyError::Broken => Reply::problem(400, "the body broke off", "it could not be read whole"),
        })
    }
}

/// A body as it arrives. What is not read is left with the host, which drops it.
#[derive(Debug)]
pub struct Body {
    // Before `_body`, of which it is a child: fields are dropped in this order.
    stream: InputStream,
    _body: IncomingBody,
}

impl Body {
    /// Takes an incoming body, of a request or of a response; `None` where its stream was taken before.
    #[must_use]
    pub fn new(body: IncomingBody) -> Option<Self> {
        Some(Self { stream: body.stream().ok()?, _body: body })
    }
}

impl Read for Body {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        match self.stream.blocking_read(room.len() as u64) {
            Ok(chunk) => match room.get_mut(..chunk.len()) {
                Some(place) => {
                    place.copy_from_slice(&chunk);
                    Ok(chunk.len())
                }
                None => Err(io::ErrorKind::InvalidData.into()),
            },
            Err(StreamError::Closed) => Ok(0),
            Err(StreamError::LastOperationFailed(_)) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Sends a reply. A client that went away meanwhile is the host's to notice.
pub fn send(out: ResponseOutparam, reply: &Reply) {
    let mut headers = vec![
        ("content-type".to_owned(), reply.content_type.as_bytes().to_vec()),
        ("content-length".to_owned(), reply.len().to_string().into_bytes()),
    ];
    headers.extend(reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
    let Ok(headers) = Fields::from_list(&headers) else { return };
    let response = OutgoingResponse::new(headers);
    if response.set_status_code(reply.status).is_err() {
        return;
    }
    let Ok(body) = response.body() else { return };
    let Ok(stream) = body.write() else { return };
    ResponseOutparam::set(out, Ok(response));
    if reply.body.iter().all(|piece| write_all(&stream, piece).is_ok()) {
        drop(stream);
        // Cannot fail: as many bytes were written as were announced.
        drop(OutgoingBody::finish(body, None));
    }
}

/// Writes all bytes, as many at a time as the host takes, without waiting for them to be flushed.
///
/// # Errors
/// When the reader went away.
pub fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    Ok(())
}
