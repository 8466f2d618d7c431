//! One request, its parsed path, and a short way to answer it.

use wasip3::http::types::{Fields, Request, Response};
use wasip3::wit_bindgen::spawn_local;
use wasip3::{wit_future, wit_stream};

/// A request that a behaviour handles.
pub struct Call {
    /// The last segment of the path: the behaviour's name.
    pub name: String,
    /// What follows `?`, undecoded.
    query: String,
    /// The request itself.
    pub request: Request,
}

impl Call {
    /// Reads the behaviour's name and arguments from the path.
    pub fn new(request: Request) -> Self {
        let target = request.get_path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let name = path.rsplit('/').next().unwrap_or("").to_owned();
        Self { name, query: query.to_owned(), request }
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
}

/// A whole response.
pub fn answer(status: u16, text: String) -> Response {
    let (mut body, contents) = wit_stream::new();
    let (done, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(contents), trailers);
    response.set_status_code(status).unwrap();
    spawn_local(async move {
        body.write_all(text.into_bytes()).await;
        drop(body);
        let _ = done.write(Ok(None)).await;
    });
    response
}
