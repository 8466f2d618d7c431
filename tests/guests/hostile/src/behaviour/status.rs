//! Answers with the status `?code=` and no body.

use wasip2::http::types::{Fields, OutgoingBody};

use crate::call::{Call, begin};

pub fn run(call: Call) {
    let code = u16::try_from(call.number("code", 204)).unwrap_or(204);
    OutgoingBody::finish(begin(call.out, code, Fields::new()), None).unwrap();
}
