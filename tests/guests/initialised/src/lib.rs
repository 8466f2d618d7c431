//! Exports an initialiser that fills a table, and answers with what became of it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use wasip2::clocks::wall_clock::now;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

mod bindings {
    wit_bindgen::generate!({
        inline: "package acme:initialised; world initialised { export wizer-initialize: func(); }",
    });
}

/// Entries of the table: more than a few pages, and work that would show in a request.
const ENTRIES: u64 = 100_000;

static TABLE: OnceLock<Vec<u64>> = OnceLock::new();
static INITIALISED: AtomicU32 = AtomicU32::new(0);
static SERVED: AtomicU32 = AtomicU32::new(0);

struct Initialised;

impl bindings::Guest for Initialised {
    fn wizer_initialize() {
        INITIALISED.fetch_add(1, Ordering::Relaxed);
        TABLE.get_or_init(|| (0..ENTRIES).map(|number| number * number).collect());
    }
}

bindings::export!(Initialised with_types_in bindings);

impl wasip2::exports::http::incoming_handler::Guest for Initialised {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let text = match target.rsplit('/').next().unwrap_or_default() {
            "differ" => format!("{} {}", wasip2::random::random::get_random_u64(), nanos()),
            "environment" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
            _ => {
                let served = SERVED.fetch_add(1, Ordering::Relaxed) + 1;
                let initialised = INITIALISED.load(Ordering::Relaxed);
                let last = TABLE.get().and_then(|table| table.last().copied());
                format!("served {served}, initialised {initialised}, last {last:?}")
            }
        };
        answer::answer(out, &text);
    }
}

/// The time of day, from the host itself.
fn nanos() -> u64 {
    let now = now();
    now.seconds * 1_000_000_000 + u64::from(now.nanoseconds)
}

wasip2::http::proxy::export!(Initialised);
