//! Requests that never leave the process: another component of the app answers them.

use super::{RequestBody, ResponseBody};
use std::pin::Pin;
use wasmtime_wasi_http::Error;

/// What becomes of a call inside the app.
pub type Answer = Pin<Box<dyn Future<Output = Result<http::Response<ResponseBody>, Error>> + Send>>;

/// Answers requests to `http://NAME.internal/` by a component of the same app.
///
/// A call comes here after its grant was checked, and counts against the same bounds as one to the network: requests,
/// bytes and time. Which names exist, and how deep calls may nest, is up to the implementation; for a name that it does
/// not know, [`Error::DnsError`] is what a name server's answer would come to.
pub trait Inside: Send + Sync {
    /// Lets `component` answer `request`, whose URI is absolute and whose host is `component` and `.internal`.
    ///
    /// The future is polled while the calling guest's own store is: whoever runs a guest here runs it in a task of its
    /// own. Dropping the future gives the call up.
    fn call(&self, component: &str, request: http::Request<RequestBody>) -> Answer;
}
