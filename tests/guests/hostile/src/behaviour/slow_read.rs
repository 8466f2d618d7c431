//! Reads the request's body one small piece at a time with a pause between: `?ms=` of it.

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::streams::StreamError;

use crate::call::Call;

const PIECE: u64 = 4096;

pub fn run(call: Call) {
    let pause_ns = call.number("ms", 1) * 1_000_000;
    let body = call.request.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut total = 0;
    loop {
        match stream.blocking_read(PIECE) {
            Ok(piece) => total += piece.len(),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => panic!("{}", error.to_debug_string()),
        }
        subscribe_duration(pause_ns).block();
    }
    drop(stream);
    drop(body);
    call.answer(200, &format!("{total}\n"));
}
