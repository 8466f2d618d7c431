//! `wasi:http/incoming-handler`.

use guest_http::{BodyError, Incoming, Reply, read_all, send};
use wasip2::cli::environment;
use wasip2::clocks::wall_clock;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::answer::{Asked, NoKeys, answer};
use crate::claims::Expect;
use crate::fetch::fetch;
use crate::token::TOKEN_BYTES_MAX;

mod config {
    #![allow(unsafe_code, missing_docs, unreachable_pub, reason = "bindings, generated from wit/")]
    wit_bindgen::generate!({ world: "config", path: "wit", generate_all });
}

use config::wasi::config::store;

wasip2::http::proxy::export!(TokenVerify);

struct TokenVerify;

/// Seconds by which clocks may differ, where JWT_LEEWAY does not say.
const LEEWAY_DEFAULT: u32 = 60;

impl wasip2::exports::http::incoming_handler::Guest for TokenVerify {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        send(out, &reply(&Incoming::new(request)));
    }
}

fn reply(incoming: &Incoming) -> Reply {
    let authorization = incoming.header("authorization");
    // A token in the header makes a body needless: it is not waited for.
    let body = match (&authorization, incoming.body()) {
        (None, Some(body)) => match read_all(body, TOKEN_BYTES_MAX) {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                return Reply::problem(413, "the body is too large", "a token may have 16384 bytes at most");
            }
            Err(BodyError::Broken) => return Reply::problem(400, "the body broke off", "it could not be read whole"),
        },
        _ => Vec::new(),
    };
    let asked = Asked {
        method: &incoming.method(),
        path: incoming.path(),
        authorization: authorization.as_deref(),
        body: &body,
    };
    let granted = environment::get_environment();
    let variable = |name: &str| granted.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let expect = Expect {
        issuer: variable("JWT_ISSUER"),
        audience: variable("JWT_AUDIENCE"),
        leeway: variable("JWT_LEEWAY").and_then(|seconds| seconds.parse().ok()).unwrap_or(LEEWAY_DEFAULT),
    };
    answer(&asked, &expect, wall_clock::now().seconds, || match store::get("jwks") {
        Ok(Some(keys)) => Ok(keys.into_bytes()),
        _ => fetch(&variable("JWKS_URL").ok_or(NoKeys::NotConfigured)?),
    })
}
