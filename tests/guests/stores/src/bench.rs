//! How long calls take, as a guest sees it.

use crate::keyvalue::{add, open};
use crate::query::Query;
use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "the guest's own clock is what is measured with")]
fn now() -> Instant {
    Instant::now()
}

/// Repeats `do` on `bucket` `n` times and prints the nanoseconds of each call, one a line.
pub fn run(query: &Query) -> String {
    let bucket = open(query.text("bucket")).unwrap();
    let value = vec![b'x'; 100];
    bucket.set("bench", &value).unwrap();
    let calls = query.parsed("n").unwrap_or(100_u32);
    let mut text = String::new();
    for _ in 0..calls {
        let started = now();
        match query.text("do") {
            "get" => drop(bucket.get("bench").unwrap()),
            "set" => bucket.set("bench", &value).unwrap(),
            _ => add(&bucket, "counter"),
        }
        text.push_str(&format!("{}\n", started.elapsed().as_nanos()));
    }
    text
}
