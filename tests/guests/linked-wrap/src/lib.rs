//! Stands before another component's handler: answers 403 itself where the path says `/deny`, and passes everything else on.

wit_bindgen::generate!({ world: "wrap", path: "../wit-http" });

use exports::wasi::http::incoming_handler::{Guest, IncomingRequest, ResponseOutparam};
use wasi::http::incoming_handler::handle;
use wasi::http::types::{Fields, OutgoingResponse};

struct Wrap;

impl Guest for Wrap {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        println!("wrap saw {path}");
        if !path.starts_with("/deny") {
            return handle(request, out);
        }
        let response = OutgoingResponse::new(Fields::new());
        response.set_status_code(403).unwrap();
        ResponseOutparam::set(out, Ok(response));
    }
}

export!(Wrap);
