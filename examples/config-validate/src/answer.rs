//! From a request to a reply.

use guest_http::{Query, Reply};
use serde_json::{Value, json};

use crate::check::{ERRORS_MAX, check};
use crate::document::{Document, Format, Malformed};
use crate::schemas::{self, SCHEMAS};

/// What a request brings along, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The method, by its name.
    pub method: &'r str,
    /// The path.
    pub path: &'r str,
    /// The query.
    pub query: Query<'r>,
    /// The value of `content-type`.
    pub content_type: Option<&'r str>,
    /// The body.
    pub body: &'r [u8],
}

/// Answers a request.
#[must_use]
pub fn answer(asked: &Asked<'_>) -> Reply {
    match (asked.path, asked.method) {
        ("/validate", "POST") => validate(asked).unwrap_or_else(|refused| refused),
        ("/validate", _) => Reply::problem(405, "only POST is served here", "post a document to /validate?schema=NAME")
            .with("allow", "POST"),
        ("/schemas", "GET" | "HEAD") => json_reply(200, &json!({"schemas": SCHEMAS.map(|(name, _)| name)})),
        _ => Reply::problem(
            404,
            "no such page",
            "post a document to /validate?schema=NAME; GET /schemas lists the names",
        ),
    }
}

fn validate(asked: &Asked<'_>) -> Result<Reply, Reply> {
    let text = std::str::from_utf8(asked.body)
        .map_err(|error| Reply::problem(400, "the document is malformed", &format!("it is not UTF-8: {error}")))?;
    let format = Format::detect(asked.content_type, text);
    let document = Document::parse(text, format).map_err(|error| malformed(&error))?;
    let (schema, document) = match asked.query.get("schema") {
        Some(name) => (schemas::named(&name).ok_or_else(|| unknown(&name))?, document),
        None => envelope(&document)?,
    };
    let broken =
        check(&schema, &document).map_err(|error| Reply::problem(400, "the schema is not one", &error.to_string()))?;
    if broken.is_empty() {
        return Ok(json_reply(200, &json!({"valid": true})));
    }
    let errors: Vec<_> = broken.iter().map(crate::check::Broken::to_json).collect();
    let more = errors.len() == ERRORS_MAX;
    Ok(json_reply(422, &json!({"valid": false, "errors": errors, "truncated": more})))
}

/// A body that brings its schema along: `{"schema": …, "document": …}`.
fn envelope(whole: &Document) -> Result<(Value, Document), Reply> {
    whole.member("schema").map(|schema| schema.value).zip(whole.member("document")).ok_or_else(|| {
        let detail = "name one with ?schema=NAME (GET /schemas lists them), or send {\"schema\": …, \"document\": …}";
        Reply::problem(400, "no schema is given", detail)
    })
}

fn malformed(error: &Malformed) -> Reply {
    let body = json!({
        "status": 400,
        "title": "the document is malformed",
        "detail": error.to_string(),
        "line": error.place.line,
        "column": error.place.column,
    });
    Reply { content_type: "application/problem+json", ..json_reply(400, &body) }
}

fn unknown(name: &str) -> Reply {
    let known = SCHEMAS.map(|(name, _)| name).join(", ");
    Reply::problem(404, "no such schema", &format!("there is no schema {name:?}; there are {known}"))
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, "application/json", format!("{body}\n"))
}
