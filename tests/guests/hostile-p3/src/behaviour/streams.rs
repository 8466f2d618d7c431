//! Bodies: sent back, with trailers, cut short, endless.

use wasip3::clocks::monotonic_clock::now;
use wasip3::http::types::{Fields, Request, Response};
use wasip3::wit_bindgen::{StreamResult, spawn_local};
use wasip3::{wit_future, wit_stream};

use crate::call::{Call, answer};

const PIECE: usize = 64 << 10;

/// Sends the request's body back, each piece before it reads the next, and its trailers after it.
pub fn echo(call: Call) -> Response {
    let (read_all, read_result) = wit_future::new(|| Ok(()));
    let (mut input, incoming_trailers) = Request::consume_body(call.request, read_result);
    let (mut output, contents) = wit_stream::new();
    let (done, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(contents), trailers);
    spawn_local(async move {
        loop {
            let (status, piece) = input.read(Vec::with_capacity(PIECE)).await;
            if !output.write_all(piece).await.is_empty() || matches!(status, StreamResult::Dropped) {
                break;
            }
        }
        drop(input);
        drop(output);
        let _ = read_all.write(Ok(())).await;
        let _ = done.write(incoming_trailers.await).await;
    });
    response
}

/// Reads the request's body to its end and answers with its length.
pub async fn slow_read(call: Call) -> Response {
    let (read_all, read_result) = wit_future::new(|| Ok(()));
    let (input, _trailers) = Request::consume_body(call.request, read_result);
    let total = input.collect().await.len();
    drop(read_all);
    answer(200, format!("{total}\n"))
}

/// Answers with a trailer after the body.
pub fn trailers() -> Response {
    let (mut body, contents) = wit_stream::new();
    let (done, trailers) = wit_future::new(|| Ok(None));
    let headers = Fields::new();
    headers.set("trailer", &[b"x-checksum".to_vec()]).unwrap();
    let (response, _sent) = Response::new(headers, Some(contents), trailers);
    spawn_local(async move {
        body.write_all(b"a body\n".to_vec()).await;
        drop(body);
        let fields = Fields::new();
        fields.set("x-checksum", &[b"42".to_vec()]).unwrap();
        let _ = done.write(Ok(Some(fields))).await;
    });
    response
}

/// Sends the head and a part of the body, reads the request to its end, then traps.
pub fn half(call: Call) -> Response {
    let (_read_all, read_result) = wit_future::new(|| Ok(()));
    let (input, _) = Request::consume_body(call.request, read_result);
    let (mut body, contents) = wit_stream::new();
    let (_done, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(contents), trailers);
    spawn_local(async move {
        body.write_all(b"the first half\n".to_vec()).await;
        input.collect().await;
        panic!("no second half");
    });
    response
}

/// Sends a body without end.
pub fn flood_body() -> Response {
    let (mut body, contents) = wit_stream::new();
    let (done, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(contents), trailers);
    spawn_local(async move {
        while body.write_all(vec![b'x'; 16 << 10]).await.is_empty() {}
        drop(done);
    });
    response
}

/// Finishes its response, goes on computing for `?ms=` milliseconds (50), and says on standard error that it did.
pub fn after(call: &Call) -> Response {
    let ms = call.number("ms", 50);
    spawn_local(async move {
        let until = now() + ms * 1_000_000;
        while now() < until {
            std::hint::black_box(0);
        }
        eprintln!("after the response");
    });
    answer(200, "done\n".to_owned())
}
