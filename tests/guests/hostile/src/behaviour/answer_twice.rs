//! Sets the response of one request twice. The type system forbids it, so the handle is copied.

use wasip2::http::types::{Fields, OutgoingResponse, ResponseOutparam};

use crate::call::Call;

pub fn run(call: Call) {
    let handle = call.out.take_handle();
    for _ in 0..2 {
        // SAFETY: none is claimed. The second use of the handle is the misbehaviour, and the host has to refuse it.
        let out = unsafe { ResponseOutparam::from_handle(handle) };
        ResponseOutparam::set(out, Ok(OutgoingResponse::new(Fields::new())));
    }
}
