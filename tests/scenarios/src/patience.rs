//! Waiting for something that only shows when asked again.

use std::time::Instant;

use anyhow::bail;

use crate::PATIENCE;

/// Asks `question` again and again until it is true.
///
/// # Errors
/// What `question` fails with, or that patience ended before it was true.
pub fn until(what: &str, mut question: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let start = now();
    while !question()? {
        if now().duration_since(start) > PATIENCE {
            bail!("not within {} s: {what}", PATIENCE.as_secs());
        }
        std::thread::yield_now();
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "bounds how long a failing scenario runs; nothing is measured by it")]
fn now() -> Instant {
    Instant::now()
}
