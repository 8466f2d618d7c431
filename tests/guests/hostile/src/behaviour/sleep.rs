//! Waits for `?ms=` milliseconds (100) inside a host call, then answers.

use wasip2::clocks::monotonic_clock::subscribe_duration;

use crate::call::Call;

pub fn run(call: Call) {
    subscribe_duration(call.number("ms", 100) * 1_000_000).block();
    call.answer(200, "slept\n");
}
