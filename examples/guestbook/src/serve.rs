//! `wasi:http/incoming-handler`.

use std::io::{Write, stderr};

use guest_http::{BodyError, Incoming, Reply, read_all, send};
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
    let body = match incoming.body().map_or(Ok(Vec::new()), |body| read_all(body, BODY_BYTES_MAX)) {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            return Reply::problem(413, "the body is too large", "16384 bytes are taken at most");
        }
        Err(BodyError::Broken) => return Reply::problem(400, "the body broke off", "it could not be read whole"),
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
