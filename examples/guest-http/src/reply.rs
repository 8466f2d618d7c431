//! A whole response, made before its first byte is sent.

use crate::Json;

/// A response whose body is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The value of `content-type`.
    pub content_type: &'static str,
    /// Other headers: names in lower case. `content-length` is not among them: it follows from the body.
    pub headers: Vec<(&'static str, String)>,
    /// The body, in pieces as they were made: a large one need not be copied into one block.
    pub body: Vec<Vec<u8>>,
}

impl Reply {
    /// A reply with a body in one piece.
    #[must_use]
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: vec![body.into()] }
    }

    /// A problem as RFC 9457 describes it: a title that says which kind, and a detail that says what to change.
    #[must_use]
    pub fn problem(status: u16, title: &str, detail: &str) -> Self {
        let body = format!("{{\"status\":{status},\"title\":{},\"detail\":{}}}\n", Json(title), Json(detail));
        Self::new(status, "application/problem+json", body)
    }

    /// The same reply with one header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Bytes in the body.
    #[must_use]
    pub fn len(&self) -> usize {
        self.body.iter().map(Vec::len).sum()
    }

    /// Whether the body has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_json_whatever_the_text() {
        let reply = Reply::problem(400, "a \"b\" \\", "line\nnext é");
        assert_eq!(
            String::from_utf8(reply.body.concat()).unwrap(),
            "{\"status\":400,\"title\":\"a \\\"b\\\" \\\\\",\"detail\":\"line\\u000anext é\"}\n"
        );
        assert_eq!((reply.status, reply.content_type), (400, "application/problem+json"));
    }
}
