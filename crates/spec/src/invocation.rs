//! An invocation as it crosses a process: everything about the request except its body.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{AppName, ComponentName, InvocationId, RequestId};

/// What made an invocation happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// A request over HTTP.
    Http,
    /// A person, with `cumulet run`.
    Command,
}

impl Trigger {
    /// The name in metrics, logs and records.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Command => "command",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// The head of an invocation. Its body crosses beside it, in bounded chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationHead {
    /// The invocation.
    pub id: InvocationId,
    /// The id that the client sees.
    pub request: RequestId,
    /// The app.
    pub app: AppName,
    /// The component that the route leads to.
    pub component: ComponentName,
    /// What made it happen.
    pub trigger: Trigger,
    /// The HTTP method.
    pub method: String,
    /// The URI as the guest sees it, absolute.
    pub uri: String,
    /// Header names in lower case and their values, in order, repeated where they were; values are bytes.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// The head does not describe a valid HTTP request.
#[derive(Debug, thiserror::Error)]
#[error("invocation {id} has an invalid head")]
pub struct HeadError {
    /// The invocation.
    pub id: InvocationId,
    /// What is wrong with it.
    #[source]
    pub source: http::Error,
}

/// The parts of a head that no HTTP request holds.
#[derive(Debug, Clone)]
pub struct HeadContext {
    /// The invocation.
    pub id: InvocationId,
    /// The id that the client sees.
    pub request: RequestId,
    /// The app.
    pub app: AppName,
    /// The component that the route leads to.
    pub component: ComponentName,
    /// What made it happen.
    pub trigger: Trigger,
}

impl InvocationHead {
    /// The head of this HTTP request.
    #[must_use]
    pub fn from_request<B>(context: HeadContext, request: &http::Request<B>) -> Self {
        let HeadContext { id, request: request_id, app, component, trigger } = context;
        let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_owned())
        };
        Self {
            id,
            request: request_id,
            app,
            component,
            trigger,
            method: request.method().as_str().to_owned(),
            uri: request.uri().to_string(),
            headers: request.headers().iter().map(pair).collect(),
        }
    }

    /// The HTTP request of this head, around a body.
    ///
    /// # Errors
    /// When method, URI or a header is not valid HTTP.
    pub fn to_request<B>(&self, body: B) -> Result<http::Request<B>, HeadError> {
        let mut builder = http::Request::builder().method(self.method.as_str()).uri(self.uri.as_str());
        for (name, value) in &self.headers {
            builder = builder.header(name.as_str(), value.as_slice());
        }
        builder.body(body).map_err(|source| HeadError { id: self.id, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, uri: &str) -> InvocationHead {
        InvocationHead {
            id: InvocationId(7),
            request: RequestId::from_bits(0xab),
            app: AppName::parse("shop").unwrap(),
            component: ComponentName::parse("front").unwrap(),
            trigger: Trigger::Http,
            method: method.to_owned(),
            uri: uri.to_owned(),
            headers: vec![
                ("accept".to_owned(), b"a".to_vec()),
                ("accept".to_owned(), b"b".to_vec()),
                ("x-bytes".to_owned(), vec![0xff, b'!']),
            ],
        }
    }

    #[test]
    fn a_head_survives_the_wire_and_becomes_the_same_request() {
        let head = head("POST", "http://shop.test/a%2Fb?c=d");
        let wire = serde_json::to_string(&head).unwrap();
        let read: InvocationHead = serde_json::from_str(&wire).unwrap();
        assert_eq!(read, head);
        let context = HeadContext {
            id: head.id,
            request: head.request,
            app: head.app.clone(),
            component: head.component.clone(),
            trigger: head.trigger,
        };
        let request = read.to_request(()).unwrap();
        assert_eq!(InvocationHead::from_request(context, &request), head);
    }

    #[test]
    fn a_head_that_is_not_http_is_refused() {
        assert!(head("G T", "/").to_request(()).is_err());
        assert!(head("GET", "/ /").to_request(()).is_err());
    }
}
