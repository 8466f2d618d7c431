//! Answers requests with what `acme:auth/verify` says: `?token=` to check one, `?own=` and `?auth=` for what it and its
//! neighbour find of a capability.

use wasip2::http::types::{IncomingRequest, ResponseOutparam};

mod bindings {
    wit_bindgen::generate!({ world: "asking", path: "../wit" });
}

use bindings::acme::auth::verify;

struct Front;

impl wasip2::exports::http::incoming_handler::Guest for Front {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let query = target.split_once('?').map_or("", |(_, query)| query).replace('+', " ");
        let text = match query.split_once('=') {
            Some(("token", token)) => match verify::check(token) {
                Ok(user) => format!("{} was here {} times", user.name, user.visits),
                Err(error) => format!("refused: {error}"),
            },
            Some(("own", capability)) => probes::probe(capability),
            Some(("auth", capability)) => verify::probe(capability),
            _ => "this is the front".to_owned(),
        };
        answer::answer(out, &text);
    }
}

wasip2::http::proxy::export!(Front);
