//! A request to a guest in this process, and what came of it.

use std::convert::Infallible;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body;

/// A request whose body is at hand.
pub(crate) type GuestRequest = Request<UnsyncBoxBody<Bytes, wasmtime_wasi_http::Error>>;

/// A whole response.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Bytes,
}

/// A request that can be sent over and over.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Its method.
    pub(crate) method: Method,
    /// Its path and query.
    pub(crate) path: String,
    /// Its headers besides `host` and `content-length`.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Ask {
    /// A GET request.
    pub(crate) fn get(path: &str) -> Self {
        Self { method: Method::GET, path: path.into(), headers: Vec::new(), body: Bytes::new() }
    }

    /// A POST request.
    pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, path: path.into(), headers: Vec::new(), body: body.into() }
    }

    /// For a guest in this process.
    pub(crate) fn to_guest(&self) -> Result<GuestRequest> {
        let body = Full::new(self.body.clone()).map_err(|never: Infallible| match never {}).boxed_unsync();
        let mut request = Request::builder().method(&self.method).uri(&self.path).header("host", "localhost");
        if !self.body.is_empty() {
            request = request.header("content-length", self.body.len());
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(body).context("not a request")
    }

    /// As bytes of HTTP/1.1.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if !self.body.is_empty() {
            bytes.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Reads a response to its end.
pub(crate) async fn collect<B>(response: Response<B>) -> Result<Call>
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let status = response.status().as_u16();
    let body =
        response.into_body().collect().await.map_err(|error| anyhow::anyhow!("the body broke off: {error:?}"))?;
    Ok(Call { status, body: body.to_bytes() })
}
