//! Sends the request's body back, each piece before it reads the next, and its trailers after it.

use std::io::Write as _;

use wasip2::http::types::{Fields, IncomingBody, OutgoingBody};
use wasip2::io::streams::StreamError;

use crate::call::{Call, begin};

const PIECE: u64 = 64 << 10;

pub fn run(call: Call) {
    let incoming = call.request.consume().unwrap();
    let input = incoming.stream().unwrap();
    let body = begin(call.out, 200, Fields::new());
    let mut output = body.write().unwrap();
    loop {
        match input.blocking_read(PIECE) {
            Ok(piece) => {
                output.write_all(&piece).unwrap();
                output.flush().unwrap();
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => panic!("{}", error.to_debug_string()),
        }
    }
    drop(input);
    drop(output);
    let pending = IncomingBody::finish(incoming);
    pending.subscribe().block();
    let trailers = pending.get().expect("it is ready").expect("it was not taken before").unwrap();
    // What came in cannot be sent: the fields belong to the request and cannot change.
    let trailers = trailers.map(|fields| Fields::from_list(&fields.entries()).unwrap());
    OutgoingBody::finish(body, trailers).unwrap();
}
