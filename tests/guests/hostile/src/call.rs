//! One request, its parsed path, and short ways to answer it.

use std::io::Write as _;

use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// A request that a behaviour handles.
pub struct Call {
    /// The last segment of the path: the behaviour's name.
    pub name: String,
    /// What follows `?`, undecoded.
    query: String,
    /// The request itself.
    pub request: IncomingRequest,
    /// Where the response goes.
    pub out: ResponseOutparam,
}

impl Call {
    /// Reads the behaviour's name and arguments from the path.
    pub fn new(request: IncomingRequest, out: ResponseOutparam) -> Self {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let name = path.rsplit('/').next().unwrap_or("").to_owned();
        Self { name, query: query.to_owned(), request, out }
    }

    /// The argument `key` of the query, undecoded.
    pub fn argument(&self, key: &str) -> Option<&str> {
        self.query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key))
            .map(|(_, value)| value)
    }

    /// The argument `key` as a number, or `default`.
    pub fn number(&self, key: &str, default: u64) -> u64 {
        self.argument(key).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    /// Sends a whole response.
    pub fn answer(self, status: u16, text: &str) {
        let body = begin(self.out, status, Fields::new());
        write(&body, text.as_bytes());
        OutgoingBody::finish(body, None).unwrap();
    }
}

/// Sends the head of a response and returns its body.
pub fn begin(out: ResponseOutparam, status: u16, headers: Fields) -> OutgoingBody {
    let response = OutgoingResponse::new(headers);
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    body
}

/// Writes `bytes` and flushes them; the body stays open. Once only for each body: its stream is taken.
pub fn write(body: &OutgoingBody, bytes: &[u8]) {
    let mut stream = body.write().unwrap();
    stream.write_all(bytes).unwrap();
    stream.flush().unwrap();
}
