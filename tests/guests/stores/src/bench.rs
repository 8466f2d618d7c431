//! How long calls take, as a guest sees it.

use crate::keyvalue::{add, open};
use crate::query::Query;
use std::io::Read as _;
use std::time::Instant;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

#[expect(clippy::disallowed_methods, reason = "the guest's own clock is what is measured with")]
fn now() -> Instant {
    Instant::now()
}

/// Repeats `do` on `bucket` `n` times and prints the nanoseconds of each call, one a line.
pub fn run(query: &Query) -> String {
    if query.text("do") == "fetch" {
        return fetch(query);
    }
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

/// Fetches `/` of `authority` `n` times, each body to its end.
fn fetch(query: &Query) -> String {
    let mut text = String::new();
    for _ in 0..query.parsed("n").unwrap_or(100_u32) {
        let started = now();
        let request = OutgoingRequest::new(Fields::new());
        request.set_scheme(Some(&Scheme::Http)).unwrap();
        request.set_authority(Some(query.text("authority"))).unwrap();
        request.set_path_with_query(Some("/")).unwrap();
        let pending = handle(request, None).unwrap();
        pending.subscribe().block();
        let response = pending.get().expect("it is ready").expect("it was not taken").unwrap();
        let body = response.consume().unwrap();
        let mut bytes = Vec::new();
        body.stream().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"hello");
        text.push_str(&format!("{}\n", started.elapsed().as_nanos()));
    }
    text
}
