//! A WASI 0.3 component that misbehaves in the way that the last segment of the request's path names.

mod behaviour;
mod call;

use call::Call;
use wasip3::http::types::{ErrorCode, Request, Response};

struct Hostile;

impl wasip3::exports::http::handler::Guest for Hostile {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        behaviour::run(Call::new(request)).await
    }
}

wasip3::http::service::export!(Hostile);
