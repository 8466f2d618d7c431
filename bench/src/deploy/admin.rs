//! A client of the admin API that does no more than it must: what it costs is not the node's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cumulet_spec::id::Digest;
use serde_json::{Value, json};

use crate::fleet::NodeProcess;
use crate::wire::Connection;

/// The longest that an answer may take; it may wait for a compiler.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// The largest piece of an upload, in bytes.
const PIECE_BYTES: usize = 4 << 20;
/// How often an unfinished deploy is asked for: each time the node waits for what comes next.
const WAITS_MAX: usize = 16;

/// A kept connection to the admin listener, with the token that the node wrote at its first start.
#[derive(Debug)]
pub(super) struct Admin {
    connection: Connection,
    token: String,
    tenant: &'static str,
}

impl Admin {
    /// Connects.
    pub(super) fn open(node: &NodeProcess, data: &Path, tenant: &'static str) -> Result<Self> {
        let token = fs::read_to_string(data.join("admin.token")).context("the node wrote no token")?;
        // Its core is the node's as well: a client that looks all the time takes it from the compiler.
        let connection = node.connect_admin()?.asleep(ANSWER_MAX)?;
        Ok(Self { connection, token: token.trim().to_owned(), tenant })
    }

    /// Sends the bytes of a component.
    pub(super) fn upload(&mut self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let path = format!("/v1/tenants/{}/blobs/{digest}", self.tenant);
        let mut offset = 0;
        for piece in bytes.chunks(PIECE_BYTES) {
            let headers = format!("upload-offset: {offset}\r\nupload-length: {}\r\n", bytes.len());
            self.call(("PATCH", &path), &headers, piece)?;
            offset += piece.len();
        }
        Ok(digest)
    }

    /// Asks for a deploy.
    pub(super) fn begin(&mut self, app: &str, request: &Value) -> Result<Value> {
        let path = format!("/v1/tenants/{}/apps/{app}/deploys", self.tenant);
        self.call(("POST", &path), "", request.to_string().as_bytes())
    }

    /// Waits until a deploy is live.
    pub(super) fn live(&mut self, app: &str, begun: &Value) -> Result<Value> {
        let id = begun.get("id").and_then(Value::as_str).context("a deploy has an id")?;
        let mut seen = 0;
        for _ in 0..WAITS_MAX {
            let path = format!("/v1/tenants/{}/apps/{app}/deploys/{id}?seen={seen}&wait=30", self.tenant);
            let now = self.call(("GET", &path), "", b"")?;
            match now.get("phase").and_then(Value::as_str) {
                Some("live") => return Ok(now),
                Some("failed") => bail!("the deploy failed: {now}"),
                _ => seen = now.get("phases").and_then(Value::as_array).map_or(0, Vec::len),
            }
        }
        bail!("the deploy {id} does not end")
    }

    /// Leads all traffic to a revision.
    pub(super) fn switch(&mut self, app: &str, revision: &str) -> Result<()> {
        let path = format!("/v1/tenants/{}/apps/{app}/traffic", self.tenant);
        let traffic = json!({ "traffic": [{ "revision": revision, "percent": 100 }] });
        self.call(("PUT", &path), "", traffic.to_string().as_bytes()).map(drop)
    }

    /// Leads traffic back to where it went before.
    pub(super) fn roll_back(&mut self, app: &str) -> Result<()> {
        let path = format!("/v1/tenants/{}/apps/{app}/rollback", self.tenant);
        self.call(("POST", &path), "", b"{}").map(drop)
    }

    fn call(&mut self, (method, path): (&str, &str), headers: &str, body: &[u8]) -> Result<Value> {
        let kind = if method == "PATCH" { "application/octet-stream" } else { "application/json" };
        let mut bytes = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\n\
             {headers}content-length: {}\r\n\r\n",
            self.token,
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        let reply = self.connection.exchange(&bytes, ANSWER_MAX).with_context(|| format!("{method} {path}"))?;
        let text = String::from_utf8_lossy(&reply.body);
        ensure!((200..300).contains(&reply.status), "{method} {path} was answered with {}: {text}", reply.status);
        serde_json::from_slice(&reply.body).with_context(|| format!("{method} {path} was answered with: {text}"))
    }
}
