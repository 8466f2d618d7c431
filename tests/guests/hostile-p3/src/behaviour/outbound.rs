//! Sends an outbound GET to `?url=` and answers with the status, or with the error's name.

use wasip3::http::client::send;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::wit_future;

use crate::call::{Call, answer};

/// Runs the behaviour.
pub async fn run(call: &Call) -> Response {
    let url = call.argument("url").unwrap_or("http://127.0.0.1:80/");
    let text = match get(url).await {
        Ok(status) => format!("status {status}\n"),
        Err(code) => format!("error {code:?}\n"),
    };
    answer(200, text)
}

async fn get(url: &str) -> Result<u16, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (done, trailers) = wit_future::new(|| Ok(None));
    drop(done);
    let (request, _sent) = Request::new(Fields::new(), None, trailers, None);
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(&format!("/{path}"))).unwrap();
    let response = send(request).await?;
    Ok(response.get_status_code())
}
