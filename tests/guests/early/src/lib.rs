//! Does something when it is instantiated, before any request; the environment selects what. Answers how it went.

use bindings::wasi::config::store as config;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use wasip2::cli::environment;
use wasip2::clocks::wall_clock;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

mod bindings {
    wit_bindgen::generate!({
        inline: "package acme:early; world early { import wasi:config/store@0.2.0-rc.1; }",
        path: "../../../wit/config",
        world: "acme:early/early",
        generate_all,
    });
}

/// Turns of work that shows in a bill, and fits into a slice many times over.
const TURNS: u64 = 100_000;

static BEGUN: AtomicU32 = AtomicU32::new(0);
static SERVED: AtomicU32 = AtomicU32::new(0);
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// What is run when the component is instantiated. Constructors would be run by the first call.
#[unsafe(export_name = "_initialize")]
extern "C" fn begin() {
    BEGUN.fetch_add(1, Ordering::Relaxed);
    NUMBER.store(wasip2::random::random::get_random_u64(), Ordering::Relaxed);
    work(TURNS);
    // Of the host itself: the C library has not begun.
    let variables = environment::get_environment();
    let early = variables.iter().find(|(name, _)| name == "EARLY").map_or("", |(_, value)| value);
    match early {
        "time" => drop(std::hint::black_box(wall_clock::now())),
        "print" => eprintln!("it has begun"),
        "config" => drop(config::get("any")),
        "sleep" => std::thread::sleep(Duration::from_millis(5)),
        "spin" => work(TURNS * 1_000),
        "panic" => panic!("as asked"),
        _ => {}
    }
}

fn work(turns: u64) {
    for turn in 0..turns {
        std::hint::black_box(turn);
    }
}

struct Early;

impl wasip2::exports::http::incoming_handler::Guest for Early {
    fn handle(_request: IncomingRequest, out: ResponseOutparam) {
        let (begun, served) = (BEGUN.load(Ordering::Relaxed), SERVED.fetch_add(1, Ordering::Relaxed) + 1);
        answer::answer(out, &format!("begun {begun}, served {served}, number {}", NUMBER.load(Ordering::Relaxed)));
    }
}

wasip2::http::proxy::export!(Early);
