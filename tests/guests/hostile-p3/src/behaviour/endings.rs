//! Ways not to answer.

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::types::{ErrorCode, Fields, Response};
use wasip3::wit_future;

use crate::call::answer;

const HOUR_NS: u64 = 3_600_000_000_000;
const STEP: usize = 1 << 20;

/// Computes without end.
pub fn spin() -> ! {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

/// Computes without end, but not in its first slice.
pub async fn spin_after_wait() -> Result<Response, ErrorCode> {
    wait_for(1_000_000).await;
    spin()
}

/// Waits for an hour.
pub async fn hang() -> Result<Response, ErrorCode> {
    wait_for(HOUR_NS).await;
    Ok(answer(200, "an hour later\n".to_owned()))
}

/// Waits for nothing at all: no event can wake it.
pub async fn never_answer() -> Result<Response, ErrorCode> {
    let (never_written, never_read) = wit_future::new::<Result<Option<Fields>, ErrorCode>>(|| Ok(None));
    let written = never_read.await;
    drop(never_written);
    written.map(|_| answer(200, "it came\n".to_owned()))
}

/// Takes memory until it is refused, and aborts then.
pub fn allocate() -> ! {
    let mut held = Vec::new();
    loop {
        let mut step = vec![0_u8; STEP];
        step.fill(1);
        held.push(std::hint::black_box(step));
    }
}
