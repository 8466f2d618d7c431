//! Sends an outbound GET to `?url=` and answers with the status, or with the error's name.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};

use crate::call::Call;

pub fn run(call: Call) {
    let url = call.argument("url").unwrap_or("http://127.0.0.1:80/").to_owned();
    let text = match send(&url) {
        Ok(status) => format!("status {status}\n"),
        Err(code) => format!("error {code:?}\n"),
    };
    call.answer(200, &text);
}

fn send(url: &str) -> Result<u16, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(&format!("/{path}"))).unwrap();
    let pending = handle(request, None)?;
    pending.subscribe().block();
    let response = pending.get().expect("it is ready").expect("it was not taken before")?;
    Ok(response.status())
}
