//! The servers that guests send requests to.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;

use crate::conformance::specification::{Answer, Endpoint, Mode, Server, ServerKind};
use crate::conformance::wire::{self, Message, Unannounced};

/// How long a connection may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// A server of a test; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Upstream {
    /// Starts the server, or finds an address at which nothing listens.
    pub(super) fn start(server: &Server) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen for the guest's requests")?;
        let address = listener.local_addr()?;
        if server.kind == ServerKind::Closed {
            return Ok(Self { address, listening: None });
        }
        let stop = Arc::new(AtomicBool::new(false));
        let endpoints: Arc<[Endpoint]> = server.endpoints.clone().into();
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || serve(&listener, &endpoints, &stop)
        });
        Ok(Self { address, listening: Some(Listening { stop, thread }) })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let Some(listening) = self.listening.take() else { return };
        listening.stop.store(true, Ordering::Release);
        // One connection more, so that it looks.
        drop(TcpStream::connect(self.address));
        drop(listening.thread.join());
    }
}

fn serve(listener: &TcpListener, endpoints: &Arc<[Endpoint]>, stop: &AtomicBool) {
    for stream in listener.incoming() {
        if stop.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let endpoints = Arc::clone(endpoints);
        std::thread::spawn(move || {
            // The guest sees a connection that ends; the test says what it makes of that.
            drop(answer(stream, &endpoints));
        });
    }
}

fn answer(mut stream: TcpStream, endpoints: &[Endpoint]) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    let request = wire::read(&stream, Unannounced::Nothing)?;
    let mut words = request.start.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let endpoint = endpoints.iter().find(|endpoint| endpoint.method == method && endpoint.path == path);
    let reply = match endpoint {
        None => whole(404, &[], b""),
        Some(endpoint) => match endpoint.mode {
            Mode::EchoBody => whole(200, &[], &request.body),
            Mode::EchoHeaders => whole(200, &echoed(method, path, &request), b""),
            Mode::Static => configured(&endpoint.response),
        },
    };
    let has_body = method != "HEAD";
    let reply = if has_body { reply.as_slice() } else { head(&reply) };
    stream.write_all(reply)?;
    Ok(())
}

fn echoed(method: &str, path: &str, request: &Message) -> Vec<(String, String)> {
    let mut fields =
        vec![("x-request-method".to_owned(), method.to_owned()), ("x-request-path".to_owned(), path.to_owned())];
    fields.extend(request.headers.iter().map(|(name, value)| (format!("x-echo-{name}"), value.clone())));
    fields.extend(request.trailers.iter().map(|(name, value)| (format!("x-trailer-{name}"), value.clone())));
    fields
}

fn configured(answer: &Answer) -> Vec<u8> {
    let mut fields: Vec<_> = answer.headers.clone().into_iter().collect();
    let Some(chunks) = &answer.chunks else {
        return whole(answer.status, &fields, answer.body.as_bytes());
    };
    fields.push(("transfer-encoding".to_owned(), "chunked".to_owned()));
    if !answer.trailers.is_empty() {
        let names: Vec<_> = answer.trailers.keys().cloned().collect();
        fields.push(("trailer".to_owned(), names.join(", ")));
    }
    let mut text = start(answer.status, &fields);
    let mut push = |line: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        text.write_fmt(line).unwrap_or_default();
    };
    for chunk in chunks {
        push(format_args!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    push(format_args!("0\r\n"));
    for (name, value) in &answer.trailers {
        push(format_args!("{name}: {value}\r\n"));
    }
    push(format_args!("\r\n"));
    text.into_bytes()
}

fn whole(status: u16, fields: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut fields = fields.to_vec();
    fields.push(("content-length".to_owned(), body.len().to_string()));
    let mut reply = start(status, &fields).into_bytes();
    reply.extend_from_slice(body);
    reply
}

fn start(status: u16, fields: &[(String, String)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Test\r\nconnection: close\r\n{}\r\n", fields.concat())
}

/// The reply up to the end of its headers.
fn head(reply: &[u8]) -> &[u8] {
    const END: &[u8] = b"\r\n\r\n";
    let end = reply.windows(END.len()).position(|window| window == END);
    end.and_then(|end| reply.get(..end + END.len())).unwrap_or(reply)
}
