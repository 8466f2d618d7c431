//! Computes for about `?ms=` milliseconds (10), then answers.

use wasip2::clocks::monotonic_clock::now;

use crate::call::Call;

/// Additions between two looks at the clock: some microseconds of them.
const BATCH: u64 = 10_000;

pub fn run(call: Call) {
    burn(call.number("ms", 10));
    call.answer(200, "worked\n");
}

/// Computes until about `ms` milliseconds have passed.
pub fn burn(ms: u64) {
    let until = now() + ms * 1_000_000;
    let mut n = 0_u64;
    while now() < until {
        for _ in 0..BATCH {
            n = std::hint::black_box(n.wrapping_add(1));
        }
    }
}
