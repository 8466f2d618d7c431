//! The behaviours, one a file, by the name that selects them.

use crate::call::Call;

mod after;
mod allocate;
mod allocate_politely;
mod answer_twice;
mod connect;
mod count;
mod echo;
mod env;
mod exit;
mod files;
mod flood_body;
mod flood_headers;
mod flood_output;
mod flood_resources;
mod half;
mod hang;
mod headers;
mod host_call_bytes;
mod log;
mod never_answer;
mod outbound;
mod panic;
mod random;
mod recurse;
mod sleep;
mod slow_read;
mod spin;
mod spin_bulk;
mod status;
mod stdin;
mod stop_reading;
mod trailers;
mod work;
mod wrong_length;
mod wrong_length_later;

/// What a behaviour is: it owns the request and may or may not answer it.
type Behaviour = fn(Call);

const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("after", after::run),
    ("allocate", allocate::run),
    ("allocate-politely", allocate_politely::run),
    ("answer-twice", answer_twice::run),
    ("connect", connect::run),
    ("count", count::run),
    ("echo", echo::run),
    ("env", env::run),
    ("exit", exit::run),
    ("files", files::run),
    ("flood-body", flood_body::run),
    ("flood-headers", flood_headers::run),
    ("flood-output", flood_output::run),
    ("flood-resources", flood_resources::run),
    ("half", half::run),
    ("hang", hang::run),
    ("headers", headers::run),
    ("host-call-bytes", host_call_bytes::run),
    ("log", log::run),
    ("never-answer", never_answer::run),
    ("outbound", outbound::run),
    ("panic", panic::run),
    ("random", random::run),
    ("recurse", recurse::run),
    ("sleep", sleep::run),
    ("slow-read", slow_read::run),
    ("spin", spin::run),
    ("spin-bulk", spin_bulk::run),
    ("status", status::run),
    ("stdin", stdin::run),
    ("stop-reading", stop_reading::run),
    ("trailers", trailers::run),
    ("work", work::run),
    ("wrong-length", wrong_length::run),
    ("wrong-length-later", wrong_length_later::run),
];

/// The behaviour called `name`.
pub fn find(name: &str) -> Option<Behaviour> {
    BEHAVIOURS.iter().find(|(known, _)| *known == name).map(|(_, run)| *run)
}
