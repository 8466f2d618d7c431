//! Sends a response body without end.

use std::io::Write as _;

use wasip2::http::types::Fields;

use crate::call::{Call, begin};

pub fn run(call: Call) {
    let body = begin(call.out, 200, Fields::new());
    let mut stream = body.write().unwrap();
    let chunk = [b'x'; 16 << 10];
    loop {
        stream.write_all(&chunk).unwrap();
    }
}
