//! Sends the head and a part of the body, then traps.

use wasip2::http::types::Fields;

use crate::call::{Call, begin, write};

pub fn run(call: Call) {
    let body = begin(call.out, 200, Fields::new());
    write(&body, b"the first half\n");
    panic!("no second half");
}
