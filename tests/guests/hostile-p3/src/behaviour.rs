//! The behaviours by the name that selects them: what ends badly in `endings`, what moves bytes in `streams`.

use wasip3::http::types::{ErrorCode, Response};

use crate::call::{Call, answer};

mod endings;
mod observe;
mod outbound;
mod streams;

/// Runs the behaviour that `call` names.
pub async fn run(call: Call) -> Result<Response, ErrorCode> {
    match call.name.as_str() {
        "spin" => endless::spin(),
        "spin-after-wait" => endings::spin_after_wait().await,
        "hang" => endings::hang().await,
        "never-answer" => endings::never_answer().await,
        "refuse" => Err(ErrorCode::InternalError(Some("as asked".to_owned()))),
        "panic" => panic!("as asked"),
        "allocate" => endless::allocate(),
        "count" => Ok(observe::count()),
        "env" => Ok(observe::env()),
        "log" => Ok(observe::log(&call)),
        "sleep" => Ok(observe::sleep(&call).await),
        "outbound" => Ok(outbound::run(&call).await),
        "slow-read" => Ok(streams::slow_read(call).await),
        "echo" => Ok(streams::echo(call)),
        "trailers" => Ok(streams::trailers()),
        "half" => Ok(streams::half(call)),
        "flood-body" => Ok(streams::flood_body()),
        "after" => Ok(streams::after(&call)),
        _ => Ok(answer(404, "this guest knows no such behaviour\n".to_owned())),
    }
}
