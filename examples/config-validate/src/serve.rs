//! `wasi:http/incoming-handler`.

use guest_http::{BodyError, Incoming, Reply, read_all, send};
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::answer::{Asked, answer};
use crate::document::BODY_BYTES_MAX;

wasip2::http::proxy::export!(ConfigValidate);

struct ConfigValidate;

impl wasip2::exports::http::incoming_handler::Guest for ConfigValidate {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        send(out, &reply(&Incoming::new(request)));
    }
}

fn reply(incoming: &Incoming) -> Reply {
    let body = incoming.body().map_or(Ok(Vec::new()), |body| read_all(body, BODY_BYTES_MAX));
    let body = match body {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            return Reply::problem(413, "the document is too large", "a document may have 1048576 bytes at most");
        }
        Err(BodyError::Broken) => return Reply::problem(400, "the body broke off", "it could not be read whole"),
    };
    answer(&Asked {
        method: &incoming.method(),
        path: incoming.path(),
        query: incoming.query(),
        content_type: incoming.header("content-type").as_deref(),
        body: &body,
    })
}
