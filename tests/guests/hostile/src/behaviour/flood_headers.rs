//! Adds response headers without end.

use wasip2::http::types::Fields;

use crate::call::Call;

pub fn run(call: Call) {
    let headers = Fields::new();
    let value = vec![b'x'; 1024];
    for n in 0_u64.. {
        if headers.append(&format!("x-flood-{n}"), &value).is_err() {
            break;
        }
    }
    // Only where the host refuses by an error, which it may: the trap is what a careless guest makes of it.
    drop(call);
    panic!("a header was refused");
}
