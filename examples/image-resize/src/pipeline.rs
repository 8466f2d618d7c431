//! The whole way: from a body and what is asked for to a reply.

use std::io::Read;

use guest_http::{Query, Reply};
use picture::pipeline::resize;

use crate::ask::parse;

/// Answers a request.
#[must_use]
pub fn answer(method: &str, path: &str, query: Query<'_>, body: impl Read) -> Reply {
    // `/resize` is for an app in which `/` is another component's.
    if path != "/" && path != "/resize" {
        return Reply::problem(404, "no such page", "post a picture to /?w=800");
    }
    if method != "POST" {
        return Reply::problem(405, "only POST is served here", "post a picture to /?w=800").with("allow", "POST");
    }
    let ask = match parse(query) {
        Ok(ask) => ask,
        Err(line) => return Reply::problem(400, "a parameter is wrong", &line),
    };
    match resize(body, &ask) {
        Ok(resized) => Reply {
            status: 200,
            content_type: resized.content_type,
            headers: vec![
                ("x-image-size", format!("{}x{}", resized.size.width, resized.size.height)),
                ("x-image-decoded", if resized.by_rows { "by rows" } else { "whole" }.to_owned()),
            ],
            body: resized.pieces,
        },
        Err(error) => Reply::problem(error.status(), error.title(), &error.to_string()),
    }
}
