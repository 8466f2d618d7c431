//! Answers that show what the guest sees.

use std::sync::atomic::{AtomicU64, Ordering};

use wasip3::cli::environment::get_environment;
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::types::Response;

use crate::call::{Call, answer};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// How often this instance was called: always 1 in a fresh one.
pub fn count() -> Response {
    let count = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    answer(200, format!("{count}\n"))
}

/// The environment, one variable a line.
pub fn env() -> Response {
    let lines = get_environment().into_iter().map(|(name, value)| format!("env {name}={value}\n"));
    answer(200, lines.collect())
}

/// Writes `?line=` to standard output and standard error.
pub fn log(call: &Call) -> Response {
    let line = call.argument("line").unwrap_or("a line");
    println!("out {line}");
    eprintln!("err {line}");
    answer(200, "logged\n".to_owned())
}

/// Waits for `?ms=` milliseconds (100), then answers.
pub async fn sleep(call: &Call) -> Response {
    wait_for(call.number("ms", 100) * 1_000_000).await;
    answer(200, "slept\n".to_owned())
}
