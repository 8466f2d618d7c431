//! The handler behind the gateway in these tests.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use cumulet_gateway::{BodyFailure, Handler, Incoming, Rejection};
use http::Response;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::Semaphore;

/// Answers with the target that it was asked for; `/gate` waits for a permit, `/large` answers with a megabyte.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) arrived: Arc<Semaphore>,
}

impl Default for Guest {
    fn default() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), arrived: Arc::new(Semaphore::new(0)) }
    }
}

impl Handler for Guest {
    type Body = UnsyncBoxBody<Bytes, BodyFailure>;

    async fn handle(&self, incoming: Incoming) -> Result<Response<Self::Body>, Rejection> {
        let uri = incoming.request.uri();
        let text = match uri.path() {
            "/large" => "x".repeat(1 << 20),
            "/gate" => {
                self.arrived.add_permits(1);
                self.gate.acquire().await.unwrap().forget();
                "passed".to_owned()
            }
            _ => uri.to_string(),
        };
        let never = |never: Infallible| match never {};
        Ok(Response::new(Full::from(text).map_err(never).boxed_unsync()))
    }
}
