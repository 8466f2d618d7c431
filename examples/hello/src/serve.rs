//! `wasi:http/incoming-handler`: from a request to calls on the response.

use alloc::string::ToString;
use core::sync::atomic::{AtomicU32, Ordering};

use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::page::{self, BYTES, Headers, Page, STREAM_CHUNK_BYTES, TEXT};

wasip2::http::proxy::export!(Hello);

struct Hello;

/// Requests that this instance has counted. A fresh instance starts at nought.
static COUNT: AtomicU32 = AtomicU32::new(0);

impl wasip2::exports::http::incoming_handler::Guest for Hello {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query();
        match page::page(path.as_deref().unwrap_or("/")) {
            Page::Echo => echo(&request, out),
            _ if !matches!(request.method(), Method::Get | Method::Head) => {
                text(out, 405, b"only GET and HEAD are served here\n");
            }
            Page::Greeting(greeting) => text(out, 200, greeting.as_bytes()),
            Page::Count => {
                let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
                text(out, 200, count.to_string().as_bytes());
            }
            Page::Stream(bytes) => stream(out, bytes),
            Page::Refused(status, why) => text(out, status, why.as_bytes()),
        }
    }
}

fn response(status: u16, headers: &Headers) -> Option<(OutgoingResponse, OutgoingBody, OutputStream)> {
    let response = OutgoingResponse::new(Fields::from_list(headers).ok()?);
    if status != 200 {
        response.set_status_code(status).ok()?;
    }
    let body = response.body().ok()?;
    let stream = body.write().ok()?;
    Some((response, body, stream))
}

/// Sends a short text. The body is complete before the head is handed over, so that a host can send both in one write.
fn text(out: ResponseOutparam, status: u16, text: &[u8]) {
    let headers = page::headers(TEXT, text.len() as u64);
    let Some((response, body, stream)) = response(status, &headers) else { return };
    // A client that has gone away is the host's to notice: there is nobody left to tell.
    if write(&stream, text).is_ok() {
        drop(stream);
        if OutgoingBody::finish(body, None).is_ok() {
            ResponseOutparam::set(out, Ok(response));
        }
    }
}

fn stream(out: ResponseOutparam, bytes: u64) {
    let headers = page::headers(BYTES, bytes);
    let Some((response, body, stream)) = response(200, &headers) else { return };
    ResponseOutparam::set(out, Ok(response));
    let chunk = [b'.'; STREAM_CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(STREAM_CHUNK_BYTES);
        if write(&stream, chunk.get(..size).unwrap_or_default()).is_err() {
            return;
        }
        left -= size as u64;
    }
    drop(stream);
    // Cannot fail: as many bytes were written as were announced.
    drop(OutgoingBody::finish(body, None));
}

fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let Ok(incoming) = request.consume() else { return };
    let Ok(input) = incoming.stream() else { return };
    let headers = request.headers();
    let headers = page::echoed(|name| headers.get(name));
    let Some((response, body, output)) = response(200, &headers) else { return };
    ResponseOutparam::set(out, Ok(response));
    if copy(&input, &output).is_err() {
        // Dropping the unfinished body tells the host that the response is cut short.
        return;
    }
    drop((input, output));
    let trailers = IncomingBody::finish(incoming);
    trailers.subscribe().block();
    if let Some(Ok(Ok(trailers))) = trailers.get() {
        // Trailers that came in are fit to go out; if the host thinks otherwise, it ends the response.
        drop(OutgoingBody::finish(body, trailers));
    }
}

fn copy(input: &InputStream, output: &OutputStream) -> Result<(), StreamError> {
    loop {
        match input.blocking_read(STREAM_CHUNK_BYTES as u64) {
            Ok(chunk) => write(output, &chunk)?,
            Err(StreamError::Closed) => return Ok(()),
            Err(failed) => return Err(failed),
        }
    }
}

/// Writes all bytes, as many at a time as the host takes, without waiting for them to be flushed.
fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    Ok(())
}
