//! A request to the service under test.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::conformance::specification::Request;
use crate::conformance::wire::{self, Unannounced};

/// Sends `request` to `address` and compares the answer with what the specification expects.
pub(super) fn request(address: SocketAddr, request: &Request, patience: Duration) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, patience).context("cannot connect to the service")?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut head = format!("{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        write!(head, "{name}: {value}\r\n")?;
    }
    if !request.body.is_empty() || request.method == "POST" {
        write!(head, "content-length: {}\r\n", request.body.len())?;
    }
    stream.write_all(format!("{head}\r\n{}", request.body).as_bytes())?;
    let body = if request.method == "HEAD" { Unannounced::NeverABody } else { Unannounced::UntilClosed };
    let answer = wire::read(stream, body).context("no whole response")?;
    compare(request, &answer)
}

fn compare(request: &Request, answer: &wire::Message) -> anyhow::Result<()> {
    let of = format!("{} {}", request.method, request.path);
    let expected = &request.response;
    let status = answer.start.split(' ').nth(1).unwrap_or_default();
    let body = String::from_utf8_lossy(&answer.body);
    if status != expected.status.to_string() {
        bail!("{of}: expected status {}, got {status} with the body {body:?}", expected.status);
    }
    for (name, value) in &expected.headers {
        let found = answer.header(&name.to_ascii_lowercase());
        if found != Some(value.as_str()) {
            bail!("{of}: expected the header {name}: {value}, got {found:?}");
        }
    }
    if body != expected.body {
        bail!("{of}: expected the body {:?}, got {body:?}", expected.body);
    }
    Ok(())
}
