//! Stands before another component's handler in WASI 0.3: says what it saw, and passes it on.

wit_bindgen::generate!({ world: "wrap", path: "../wit-http-p3" });

use exports::wasi::http::handler::{ErrorCode, Guest, Request, Response};
use wasi::http::handler::handle;

struct Wrap;

impl Guest for Wrap {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        println!("wrap saw {}", request.get_path_with_query().unwrap_or_default());
        handle(request).await
    }
}

export!(Wrap);
