//! Waits for an hour inside a host call.

use wasip2::clocks::monotonic_clock::subscribe_duration;

use crate::call::Call;

const HOUR_NS: u64 = 3_600_000_000_000;

pub fn run(call: Call) {
    subscribe_duration(HOUR_NS).block();
    call.answer(200, "an hour later\n");
}
