//! `wasi:http/handler`: from a request to a response with a stream that a task fills.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use wasip3::{spawn_local, wit_future, wit_stream};

use crate::page::{self, BYTES, Headers, Page, STREAM_CHUNK_BYTES, TEXT};

wasip3::http::service::export!(Hello);

struct Hello;

/// Requests that this instance has counted. A fresh instance starts at nought.
static COUNT: AtomicU32 = AtomicU32::new(0);

impl wasip3::exports::http::handler::Guest for Hello {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query();
        match page::page(path.as_deref().unwrap_or("/")) {
            Page::Echo => echo(request),
            _ if !matches!(request.get_method(), Method::Get | Method::Head) => {
                text(405, b"only GET and HEAD are served here\n".to_vec())
            }
            Page::Greeting(greeting) => text(200, greeting.into_bytes()),
            Page::Count => {
                let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
                text(200, count.to_string().into_bytes())
            }
            Page::Stream(bytes) => stream(bytes),
            Page::Refused(status, why) => text(status, why.as_bytes().to_vec()),
        }
    }
}

fn fields(headers: &Headers) -> Result<Fields, ErrorCode> {
    Fields::from_list(headers).map_err(|_| ErrorCode::InternalError(None))
}

fn text(status: u16, text: Vec<u8>) -> Result<Response, ErrorCode> {
    let (mut body, response) = respond(fields(&page::headers(TEXT, text.len() as u64))?);
    response.set_status_code(status).map_err(|()| ErrorCode::InternalError(None))?;
    spawn_local(async move {
        // What is left over belongs to a client that went away.
        drop(body.write_all(text).await);
    });
    Ok(response)
}

fn stream(bytes: u64) -> Result<Response, ErrorCode> {
    let (mut body, response) = respond(fields(&page::headers(BYTES, bytes))?);
    spawn_local(async move {
        let mut left = bytes;
        let mut chunk = alloc::vec![b'.'; STREAM_CHUNK_BYTES];
        while left > 0 {
            let size = usize::try_from(left).unwrap_or(usize::MAX).min(STREAM_CHUNK_BYTES);
            chunk.resize(size, b'.');
            let Some(spent) = send(&mut body, chunk).await else { return };
            chunk = spent;
            left -= size as u64;
        }
    });
    Ok(response)
}

fn respond(headers: Fields) -> (StreamWriter<u8>, Response) {
    let (body, reader) = wit_stream::new();
    // Dropping the writer's end of this future sends the value that its constructor names: no trailers.
    let (_, trailers) = wit_future::new(|| Ok(None));
    // How the transfer ended is for the host to record.
    let (response, _) = Response::new(headers, Some(reader), trailers);
    (body, response)
}

fn echo(request: Request) -> Result<Response, ErrorCode> {
    let headers = request.get_headers();
    let headers = fields(&page::echoed(|name| headers.get(name)))?;
    let (_, consumed) = wit_future::new(|| Ok(()));
    let (input, trailers) = Request::consume_body(request, consumed);
    let (output, reader) = wit_stream::new();
    let (response, _) = Response::new(headers, Some(reader), trailers);
    spawn_local(copy(input, output));
    Ok(response)
}

async fn copy(mut input: StreamReader<u8>, mut output: StreamWriter<u8>) {
    let mut chunk = Vec::with_capacity(STREAM_CHUNK_BYTES);
    loop {
        let (result, read) = input.read(chunk).await;
        let Some(spent) = send(&mut output, read).await else { return };
        chunk = spent;
        if !matches!(result, StreamResult::Complete(_)) {
            return;
        }
    }
}

/// Writes all of a chunk and gives its room back, empty; `None` once nobody reads any more.
async fn send(output: &mut StreamWriter<u8>, chunk: Vec<u8>) -> Option<Vec<u8>> {
    let (mut result, mut rest) = output.write(chunk).await;
    while rest.remaining() > 0 {
        if !matches!(result, StreamResult::Complete(_)) {
            return None;
        }
        (result, rest) = output.write_buf(rest).await;
    }
    let mut room = rest.into_vec();
    room.clear();
    Some(room)
}
