//! Promises a hundred bytes and sends ten.

use wasip2::http::types::{Fields, OutgoingBody};

use crate::call::{Call, begin, write};

pub fn run(call: Call) {
    let headers = Fields::new();
    headers.set("content-length", &[b"100".to_vec()]).unwrap();
    let body = begin(call.out, 200, headers);
    write(&body, b"ten bytes\n");
    let _ = OutgoingBody::finish(body, None);
}
