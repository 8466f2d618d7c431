//! Calls its neighbour `?calls=` times and answers with the nanoseconds that this took: `/add` two numbers each time,
//! `/length` a text of 1,024 bytes, `/own` a function of its own.

use std::hint::black_box;
use wasip2::clocks::monotonic_clock::now;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

mod bindings {
    wit_bindgen::generate!({ world: "calling", path: "../wit-hop" });
}

use bindings::acme::hop::calls;

const TEXT_BYTES: usize = 1_024;

struct Front;

impl wasip2::exports::http::incoming_handler::Guest for Front {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let count = query.strip_prefix("calls=").and_then(|count| count.parse().ok()).unwrap_or(1);
        let text = "x".repeat(TEXT_BYTES);
        let nanos = match path {
            "/add" => measure(count, |turn| calls::add(turn, turn)),
            "/length" => measure(count, |_turn| u64::from(calls::length(&text))),
            _ => measure(count, own),
        };
        answer::answer(out, &nanos.to_string());
    }
}

#[inline(never)]
fn own(turn: u64) -> u64 {
    black_box(turn).wrapping_add(turn)
}

fn measure(count: u64, call: impl Fn(u64) -> u64) -> u64 {
    let start = now();
    let sum = (0..count).fold(0_u64, |sum, turn| sum.wrapping_add(black_box(call(turn))));
    black_box(sum);
    now() - start
}

wasip2::http::proxy::export!(Front);
