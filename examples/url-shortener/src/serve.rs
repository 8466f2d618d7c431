//! `wasi:http/incoming-handler`.

use std::io::{Write, stderr};

use guest_http::{Incoming, Reply, send};
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::answer::{Asked, BODY_BYTES_MAX, answer};
use crate::bucket::Bucket;

wasip2::http::proxy::export!(UrlShortener);

struct UrlShortener;

impl wasip2::exports::http::incoming_handler::Guest for UrlShortener {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        send(out, &reply(&Incoming::new(request)));
    }
}

fn reply(incoming: &Incoming) -> Reply {
    let body = match incoming.whole_body(BODY_BYTES_MAX) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let (accept, content_type) = (incoming.header("accept"), incoming.header("content-type"));
    let asked = Asked {
        method: &incoming.method(),
        path: incoming.path(),
        query: incoming.query(),
        origin: &incoming.origin(),
        accept: accept.as_deref(),
        content_type: content_type.as_deref(),
        body: &body,
    };
    // A log that cannot be written to is nobody's to hear of.
    answer(&asked, Bucket::open, |line| drop(writeln!(stderr(), "{line}")))
}
