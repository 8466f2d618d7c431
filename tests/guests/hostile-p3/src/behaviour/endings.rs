//! Ways not to answer.

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::types::{ErrorCode, Fields, Response};
use wasip3::wit_future;

use crate::call::answer;

const HOUR_NS: u64 = 3_600_000_000_000;

/// Computes without end, but not in its first slice.
pub async fn spin_after_wait() -> Result<Response, ErrorCode> {
    wait_for(1_000_000).await;
    endless::spin()
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
