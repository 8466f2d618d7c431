//! `wasi:http/incoming-handler`.

use std::io::{Write, stderr};

use guest_http::{Incoming, Reply, send};
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::answer::{Asked, BODY_BYTES_MAX, answer};
use crate::connection::Connection;

wasip2::http::proxy::export!(Guestbook);

struct Guestbook;

impl wasip2::exports::http::incoming_handler::Guest for Guestbook {
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
        accept: accept.as_deref(),
        content_type: content_type.as_deref(),
        body: &body,
    };
    // A log that cannot be written to is nobody's to hear of.
    answer(&asked, Connection::open, |line| drop(writeln!(stderr(), "{line}")))
}
