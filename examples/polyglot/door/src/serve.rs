//! `wasi:http/incoming-handler`.

use guest_http::{Incoming, Reply, send};
use wasip2::cli::environment;
use wasip2::clocks::wall_clock;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::check;
use bindings::example::report::page;

mod bindings {
    #![allow(unsafe_code, missing_docs, unreachable_pub, reason = "bindings, generated from wit/")]
    wit_bindgen::generate!({ world: "door", path: "../wit" });
}

wasip2::http::proxy::export!(Door);

struct Door;

/// The most bytes that a list of orders may have.
const ORDERS_BYTES_MAX: usize = 1024 * 1024;

impl wasip2::exports::http::incoming_handler::Guest for Door {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let incoming = Incoming::new(request);
        send(out, &reply(&incoming).unwrap_or_else(|refused| refused));
    }
}

/// The page, or the reply that says why there is none.
fn reply(incoming: &Incoming) -> Result<Reply, Reply> {
    if incoming.path() != "/report" {
        return Err(Reply::problem(404, "no such page", "post orders to /report"));
    }
    if incoming.method() != "POST" {
        return Err(Reply::problem(405, "only POST is served here", "post orders to /report").with("allow", "POST"));
    }
    let reader = reader(incoming)?;
    let orders = String::from_utf8(incoming.whole_body(ORDERS_BYTES_MAX)?)
        .map_err(|_| Reply::problem(400, "these are no orders", "they are not UTF-8"))?;
    let page = page::render(&reader, &orders).map_err(|reason| Reply::problem(400, "these are no orders", &reason))?;
    Ok(Reply::new(200, "text/html; charset=utf-8", page))
}

fn reader(incoming: &Incoming) -> Result<String, Reply> {
    let granted = environment::get_environment();
    let keys = granted.iter().find(|(name, _)| name == "JWKS").map(|(_, value)| value.as_bytes());
    let keys = keys.ok_or_else(|| {
        Reply::problem(500, "no key set is configured", "grant the environment variable JWKS to `door`")
    })?;
    check::reader(incoming.header("authorization").as_deref(), keys, wall_clock::now().seconds).map_err(|refusal| {
        Reply::problem(401, "the token is not accepted", &refusal.to_string()).with("www-authenticate", "Bearer")
    })
}
