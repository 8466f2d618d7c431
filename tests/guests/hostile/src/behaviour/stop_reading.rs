//! Answers without reading the request's body.

use crate::call::Call;

pub fn run(call: Call) {
    call.answer(200, "not read\n");
}
