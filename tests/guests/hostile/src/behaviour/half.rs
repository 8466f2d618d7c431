//! Sends the head and a part of the body, reads the request to its end, then traps.
//!
//! A client that holds the end of its request back until it has seen the head knows that the trap comes after it.

use std::io::Read as _;

use wasip2::http::types::Fields;

use crate::call::{Call, begin, write};

pub fn run(call: Call) {
    let body = begin(call.out, 200, Fields::new());
    write(&body, b"the first half\n");
    let incoming = call.request.consume().unwrap();
    let mut rest = Vec::new();
    incoming.stream().unwrap().read_to_end(&mut rest).unwrap();
    panic!("no second half");
}
