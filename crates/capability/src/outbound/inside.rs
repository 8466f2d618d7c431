//! Requests that never leave the process: another component of the app answers them.

use super::RequestBody;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use std::pin::Pin;
use thiserror::Error;
use wasmtime_wasi_http::Error as HttpError;

/// What becomes of a call inside the app.
pub type Answer = Pin<Box<dyn Future<Output = Result<http::Response<InsideBody>, InsideError>> + Send>>;

/// What a component of the app answers with.
pub type InsideBody = UnsyncBoxBody<Bytes, InsideError>;

/// Why a call inside the app came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InsideError {
    /// The app has no component of this name.
    #[error("the app has no component of this name")]
    Unknown,
    /// Too many calls stand inside one another.
    #[error("too many calls stand inside one another")]
    TooDeep,
    /// The component ended before its answer was complete.
    #[error("the component ended before its answer was complete")]
    Broken,
}

impl From<InsideError> for HttpError {
    fn from(error: InsideError) -> Self {
        match error {
            // What a name server would say.
            InsideError::Unknown => Self::DnsError { rcode: Some(error.to_string()), info_code: None },
            InsideError::TooDeep => Self::LoopDetected,
            InsideError::Broken => Self::ConnectionTerminated,
        }
    }
}

/// Answers requests to `http://NAME.internal/` by a component of the same app.
///
/// A call comes here after its grant was checked, and counts against the same bounds as one to the network: requests,
/// bytes and time. Which names exist, and how deep calls may nest, is up to the implementation.
pub trait Inside: Send + Sync + std::fmt::Debug {
    /// Lets `component` answer `request`, whose URI is absolute and whose host is `component` and `.internal`.
    ///
    /// The future is polled while the calling guest's own store is: whoever runs a guest here runs it in a task of its
    /// own. Dropping the future gives the call up.
    fn call(&self, component: &str, request: http::Request<RequestBody>) -> Answer;
}
