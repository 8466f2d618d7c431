//! A WASI 0.2 component that misbehaves in the way that the last segment of the request's path names.
//!
//! `/hostile/spin?ms=5` and `/spin?ms=5` both run `spin`, so that one file serves several routes.

mod behaviour;
mod call;

use call::Call;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

struct Hostile;

impl wasip2::exports::http::incoming_handler::Guest for Hostile {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let call = Call::new(request, out);
        match behaviour::find(&call.name) {
            Some(run) => run(call),
            None => call.answer(404, "this guest knows no such behaviour\n"),
        }
    }
}

wasip2::http::proxy::export!(Hostile);
