//! HTTP/1.1 from the client's side on a raw socket that never blocks: what it costs is known and small.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use memchr::memmem;

use crate::clock;

/// Bytes asked of the kernel at a time.
const READ_BYTES: usize = 16 * 1024;
/// The largest head that is taken.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The bytes of a request without a connection header: HTTP/1.1 keeps the connection.
pub(crate) fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
    if !body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The body, chunks joined.
    pub(crate) body: Vec<u8>,
}

/// A kept connection with at most one request on it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    head: Option<Head>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, buffer: vec![0; READ_BYTES], filled: 0, head: None })
    }

    /// Sleeps while it waits, and leaves its core to the server: for waits of milliseconds, as it wakes later.
    pub(crate) fn asleep(self, wait_max: Duration) -> io::Result<Self> {
        self.stream.set_nonblocking(false)?;
        self.stream.set_read_timeout(Some(wait_max))?;
        Ok(self)
    }

    /// Sends all of a request; waits where the kernel's buffer is full.
    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what has come; a reply once it is whole.
    pub(crate) fn poll(&mut self) -> io::Result<Option<Reply>> {
        if self.buffer.len() - self.filled < READ_BYTES / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match self.stream.read(room) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => self.filled += read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(None),
            Err(error) => return Err(error),
        }
        let bytes = self.buffer.get(..self.filled).unwrap_or_default();
        if self.head.is_none() {
            self.head = parse_head(bytes)?;
        }
        let Some(head) = self.head else { return Ok(None) };
        let Some(body) = parse_body(bytes.get(head.length..).unwrap_or_default(), head.framing)? else {
            return Ok(None);
        };
        self.filled = 0;
        self.head = None;
        Ok(Some(Reply { status: head.status, body }))
    }

    /// Sends a request and waits for its reply, and says how long it took until its first byte came. Never sleeps, so
    /// that its own wake-ups are no part of that: the calling thread should have a core of its own.
    pub(crate) fn first_byte(&mut self, request: &[u8], limit: Duration) -> io::Result<(Duration, Reply)> {
        let began = clock::now();
        self.send(request)?;
        let mut first = None;
        loop {
            let reply = self.poll()?;
            if first.is_none() && (reply.is_some() || self.filled > 0) {
                first = Some(began.elapsed());
            }
            if let (Some(reply), Some(first)) = (reply, first) {
                return Ok((first, reply));
            }
            if began.elapsed() > limit {
                return Err(ErrorKind::TimedOut.into());
            }
            std::hint::spin_loop();
        }
    }

    /// Sends a request and waits for its reply.
    pub(crate) fn exchange(&mut self, request: &[u8], limit: Duration) -> io::Result<Reply> {
        self.send(request)?;
        let deadline = clock::now() + limit;
        loop {
            if let Some(reply) = self.poll()? {
                return Ok(reply);
            }
            if clock::now() > deadline {
                return Err(ErrorKind::TimedOut.into());
            }
            std::thread::yield_now();
        }
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_string())
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > HEAD_BYTES_MAX { Err(malformed("the head has no end")) } else { Ok(None) };
    };
    let text =
        std::str::from_utf8(bytes.get(..end).unwrap_or_default()).map_err(|_| malformed("the head is not text"))?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|line| line.get(..3))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| malformed("no HTTP/1.1 status line"))?;
    let mut framing = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            framing = Some(Framing::Length(value.parse().map_err(|_| malformed("content-length is not a number"))?));
        } else if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            framing = Some(Framing::Chunked);
        }
    }
    let framing = if status == 204 { Some(Framing::Length(0)) } else { framing };
    let framing = framing.ok_or_else(|| malformed("neither content-length nor chunks"))?;
    Ok(Some(Head { status, length: end + 4, framing }))
}

/// The body where `bytes` hold all of it; one connection carries one request at a time, so nothing follows.
fn parse_body(bytes: &[u8], framing: Framing) -> io::Result<Option<Vec<u8>>> {
    match framing {
        Framing::Length(length) => Ok(bytes.get(..length).map(<[u8]>::to_vec)),
        Framing::Chunked if !bytes.ends_with(b"\r\n\r\n") && !bytes.ends_with(b"0\r\n") => Ok(None),
        Framing::Chunked => parse_chunks(bytes),
    }
}

fn parse_chunks(mut bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = memmem::find(bytes, b"\r\n") else { return Ok(None) };
        let line = std::str::from_utf8(bytes.get(..end).unwrap_or_default()).unwrap_or_default();
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|_| malformed("a chunk's size is not a number"))?;
        bytes = bytes.get(end + 2..).unwrap_or_default();
        if size == 0 {
            // Either no trailers, or some: both end in an empty line.
            return Ok((bytes.starts_with(b"\r\n") || bytes.ends_with(b"\r\n\r\n")).then_some(body));
        }
        let Some(chunk) = bytes.get(..size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        let Some(rest) = bytes.get(size + 2..) else { return Ok(None) };
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
        let head = parse_head(bytes).unwrap()?;
        Some((head.status, parse_body(&bytes[head.length..], head.framing).unwrap()?))
    }

    #[test]
    fn replies() {
        let expect = Some((200, b"Hello".to_vec()));
        let known = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nHe\r\n3;x\r\nllo\r\n0\r\n\r\n";
        let trailers = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\na: b\r\n\r\n";
        for bytes in [known.as_slice(), chunked, trailers] {
            assert_eq!(whole(bytes), expect);
            for cut in 0..bytes.len() {
                assert_eq!(whole(&bytes[..cut]), None, "cut at {cut}");
            }
        }
        assert_eq!(whole(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, Vec::new())));
    }

    #[test]
    fn malformed_heads() {
        for bytes in
            ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
        {
            assert!(parse_head(bytes.as_bytes()).is_err(), "{bytes}");
        }
        assert!(parse_head(&vec![b'a'; HEAD_BYTES_MAX + 1]).is_err());
    }
}
