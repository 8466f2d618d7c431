//! Counts its calls in a global: always 1 in a fresh instance.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::call::Call;

static CALLS: AtomicU64 = AtomicU64::new(0);

pub fn run(call: Call) {
    let count = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    call.answer(200, &format!("{count}\n"));
}
