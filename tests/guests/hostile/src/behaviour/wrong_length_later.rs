//! Promises a hundred bytes, sends ten, and ends as if that were all, once the client has seen the head.

use std::io::Read as _;

use wasip2::http::types::{Fields, OutgoingBody};

use crate::call::{Call, begin, write};

pub fn run(call: Call) {
    let headers = Fields::new();
    headers.set("content-length", &[b"100".to_vec()]).unwrap();
    let body = begin(call.out, 200, headers);
    write(&body, b"ten bytes\n");
    let incoming = call.request.consume().unwrap();
    incoming.stream().unwrap().read_to_end(&mut Vec::new()).unwrap();
    let _ = OutgoingBody::finish(body, None);
}
