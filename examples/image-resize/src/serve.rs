//! `wasi:http/incoming-handler`.

use guest_http::{Incoming, Reply, send};
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::pipeline::answer;

wasip2::http::proxy::export!(ImageResize);

struct ImageResize;

impl wasip2::exports::http::incoming_handler::Guest for ImageResize {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let incoming = Incoming::new(request);
        let reply = match incoming.body() {
            Some(body) => answer(&incoming.method(), incoming.path(), incoming.query(), body),
            None => Reply::problem(400, "the body broke off", "it could not be read"),
        };
        send(out, &reply);
    }
}
