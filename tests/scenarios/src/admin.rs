//! A client of the admin API that says nothing by itself: every header and body is the scenario's.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use cumulet_spec::id::Digest;
use serde_json::{Value, json};

use crate::http1::Connection;

/// The largest piece of an upload that is sent, in bytes.
const PIECE_BYTES: usize = 1 << 20;

/// The admin listener of a node, and a token for it.
#[derive(Debug, Clone)]
pub struct Admin {
    address: SocketAddr,
    token: Option<String>,
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The document; null where there is none.
    pub body: Value,
}

impl Answer {
    /// The kind of problem, of an answer that is one.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.body.get("type")?.as_str()
    }

    /// The answer, if it has this status.
    ///
    /// # Errors
    /// When it has another.
    pub fn expect(self, status: u16) -> anyhow::Result<Value> {
        ensure!(self.status == status, "{} instead of {status}: {}", self.status, self.body);
        Ok(self.body)
    }
}

impl Admin {
    /// Whoever has the token that the node wrote at its first start.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn first(address: SocketAddr, data: &Path) -> anyhow::Result<Self> {
        let path = data.join("admin.token");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { address, token: Some(text.trim().to_owned()) })
    }

    /// The same listener with another token, or none.
    #[must_use]
    pub fn with(&self, token: Option<&str>) -> Self {
        Self { address: self.address, token: token.map(str::to_owned) }
    }

    /// One request.
    ///
    /// # Errors
    /// When no answer comes, or one that is not JSON.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let bytes = body.map(Value::to_string).unwrap_or_default();
        self.send((method, path), bytes.as_bytes(), &[])
    }

    /// The same with bytes and further header lines.
    ///
    /// # Errors
    /// When no answer comes, or one that is not JSON.
    pub fn send(&self, (method, path): (&str, &str), bytes: &[u8], headers: &[&str]) -> anyhow::Result<Answer> {
        let mut connection = Connection::open(self.address)?;
        let length = format!("content-length: {}", bytes.len());
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}"));
        let own = token.iter().map(String::as_str).chain([length.as_str()]);
        let all: Vec<&str> = own.chain(headers.iter().copied()).collect();
        connection.request_to(&self.address.to_string(), (method, path), &all)?;
        connection.send(bytes)?;
        let reply = connection.reply(method)?;
        let text = reply.text();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).with_context(|| text.clone())? };
        Ok(Answer { status: reply.status(), body })
    }

    /// Sends the bytes of a component in pieces.
    ///
    /// # Errors
    /// When a piece is not taken.
    pub fn upload(&self, tenant: &str, bytes: &[u8]) -> anyhow::Result<Digest> {
        let digest = Digest::of(bytes);
        let path = format!("/v1/tenants/{tenant}/blobs/{digest}");
        let mut offset = 0;
        for piece in bytes.chunks(PIECE_BYTES) {
            let (at, length) = (format!("upload-offset: {offset}"), format!("upload-length: {}", bytes.len()));
            self.send(("PATCH", &path), piece, &[&at, &length])?.expect(200)?;
            offset += piece.len();
        }
        Ok(digest)
    }

    /// Begins a deploy and returns it as it was taken.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn begin(&self, tenant: &str, app: &str, request: &Value) -> anyhow::Result<Value> {
        self.call("POST", &format!("/v1/tenants/{tenant}/apps/{app}/deploys"), Some(request))?.expect(202)
    }

    /// Waits until a deploy has ended.
    ///
    /// # Errors
    /// When it cannot be asked for.
    pub fn ended(&self, deploy: &Value) -> anyhow::Result<Value> {
        let text = |key: &str| deploy.get(key).and_then(Value::as_str).context("a deploy has its names");
        let path = format!("/v1/tenants/{}/apps/{}/deploys/{}", text("tenant")?, text("app")?, text("id")?);
        let mut seen = 0;
        for _ in 0..16 {
            let now = self.call("GET", &format!("{path}?seen={seen}&wait=30"), None)?.expect(200)?;
            if matches!(now.get("phase").and_then(Value::as_str), Some("live" | "failed")) {
                return Ok(now);
            }
            seen = now.get("phases").and_then(Value::as_array).map_or(0, Vec::len);
        }
        bail!("the deploy does not end: {deploy}")
    }

    /// Deploys and waits until it is live.
    ///
    /// # Errors
    /// When it is not taken, or fails.
    pub fn deploy(&self, tenant: &str, app: &str, request: &Value) -> anyhow::Result<Value> {
        let ended = self.ended(&self.begin(tenant, app, request)?)?;
        ensure!(ended.get("phase") == Some(&json!("live")), "{ended}");
        Ok(ended)
    }
}
