//! Answers with a trailer after the body.

use wasip2::http::types::{Fields, OutgoingBody};

use crate::call::{Call, begin, write};

pub fn run(call: Call) {
    let headers = Fields::new();
    headers.set("trailer", &[b"x-checksum".to_vec()]).unwrap();
    let body = begin(call.out, 200, headers);
    write(&body, b"a body\n");
    let trailers = Fields::new();
    trailers.set("x-checksum", &[b"42".to_vec()]).unwrap();
    OutgoingBody::finish(body, Some(trailers)).unwrap();
}
