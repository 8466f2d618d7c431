//! Opens host resources without end and closes none: `?of=fields` or `?of=pollables`.

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::Fields;

use crate::call::Call;

pub fn run(call: Call) {
    let pollables = call.argument("of") == Some("pollables");
    loop {
        if pollables {
            std::mem::forget(subscribe_duration(3_600_000_000_000));
        } else {
            std::mem::forget(Fields::new());
        }
    }
}
