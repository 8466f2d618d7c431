//! HTTP/1.1 byte by byte, so that a scenario can send what no client library would and see every piece that comes back.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use anyhow::{Context as _, bail, ensure};

use crate::PATIENCE;

/// A connection that a scenario drives by hand.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What was read and not yet understood.
    pending: Vec<u8>,
}

/// The first line and the headers of a response.
#[derive(Debug, Clone)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values, in their order.
    pub headers: Vec<(String, String)>,
}

/// A response as far as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The head.
    pub head: Head,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// What followed the last chunk.
    pub trailers: Vec<(String, String)>,
    /// Whether the body ended as its framing promised.
    pub complete: bool,
}

impl Head {
    /// The value of the header `name`, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Reply {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The value of the header `name`, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// The value of the trailer `name`, given in lower case.
    #[must_use]
    pub fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The request's id, which every response carries.
    ///
    /// # Errors
    /// When it is missing.
    pub fn id(&self) -> anyhow::Result<&str> {
        self.header("x-request-id").with_context(|| format!("no x-request-id in {:?}", self.head))
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

impl Connection {
    /// Connects; later reads and writes give up when patience ends.
    ///
    /// # Errors
    /// When the connection is refused.
    pub fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, pending: Vec::new() })
    }

    /// A second handle on the connection: one thread reads while another sends.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn try_clone(&self) -> anyhow::Result<Self> {
        Ok(Self { stream: self.stream.try_clone()?, pending: self.pending.clone() })
    }

    /// Sends `bytes` as they are.
    ///
    /// # Errors
    /// When the peer closed.
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Sends a request's head with `host: test` and further header lines.
    ///
    /// # Errors
    /// When the peer closed.
    pub fn request(&mut self, method: &str, path: &str, headers: &[&str]) -> anyhow::Result<()> {
        self.request_to("test", (method, path), headers)
    }

    /// The same with a host of one's own.
    ///
    /// # Errors
    /// When the peer closed.
    pub fn request_to(&mut self, host: &str, (method, path): (&str, &str), headers: &[&str]) -> anyhow::Result<()> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
        for line in headers {
            head.push_str(line);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        self.send(head.as_bytes())
    }

    /// Sends one chunk of a chunked body; an empty one ends it without trailers.
    ///
    /// # Errors
    /// When the peer closed.
    pub fn send_chunk(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.send(&chunk)
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn finish_sending(&self) -> anyhow::Result<()> {
        Ok(self.stream.shutdown(Shutdown::Write)?)
    }

    /// Reads the next head, be it interim or final.
    ///
    /// # Errors
    /// When none comes or it is malformed.
    pub fn head(&mut self) -> anyhow::Result<Head> {
        let status = self.line().context("no response")?;
        let code = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
        let status = code.and_then(|code| code.parse().ok()).with_context(|| format!("status line {status:?}"))?;
        Ok(Head { status, headers: self.fields()? })
    }

    /// Reads the next chunk of a chunked body; `None` after the last.
    ///
    /// # Errors
    /// When the connection ends before.
    pub fn chunk(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let line = self.line()?;
        let length = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(length, 16).with_context(|| format!("chunk length {line:?}"))?;
        if length == 0 {
            return Ok(None);
        }
        let bytes = self.exactly(length)?;
        ensure!(self.line()?.is_empty(), "a chunk is longer than it said");
        Ok(Some(bytes))
    }

    /// Reads the trailers that follow the last chunk.
    ///
    /// # Errors
    /// When the connection ends before.
    pub fn trailers(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        self.fields()
    }

    /// Reads the next head that is not interim.
    ///
    /// # Errors
    /// When none comes or it is malformed.
    pub fn final_head(&mut self) -> anyhow::Result<Head> {
        loop {
            let head = self.head()?;
            if head.status >= 200 {
                return Ok(head);
            }
        }
    }

    /// Reads a whole response to a request with `method`; its body may be cut short.
    ///
    /// # Errors
    /// When there is no final head.
    pub fn reply(&mut self, method: &str) -> anyhow::Result<Reply> {
        let head = self.final_head()?;
        self.rest(method, head)
    }

    /// Reads what follows the `head` of a response to a request with `method`.
    ///
    /// # Errors
    /// When the head does not say how long the body is.
    pub fn rest(&mut self, method: &str, head: Head) -> anyhow::Result<Reply> {
        let mut reply = Reply { head, body: Vec::new(), trailers: Vec::new(), complete: true };
        if method != "HEAD" && !matches!(reply.status(), 204 | 304) {
            reply.complete = self.read_body(&mut reply)?;
        }
        Ok(reply)
    }

    fn read_body(&mut self, reply: &mut Reply) -> anyhow::Result<bool> {
        if reply.header("transfer-encoding").is_some() {
            loop {
                match self.chunk() {
                    Ok(Some(bytes)) => reply.body.extend_from_slice(&bytes),
                    Ok(None) => break,
                    // A server that aborts closes in the middle of the framing; any other error is one too.
                    Err(_) => return Ok(false),
                }
            }
            reply.trailers = self.fields()?;
            return Ok(true);
        }
        let length = reply.header("content-length").context("neither length nor chunks")?.parse::<usize>()?;
        while self.pending.len() < length {
            if !self.read_more().unwrap_or(false) {
                reply.body = std::mem::take(&mut self.pending);
                return Ok(false);
            }
        }
        reply.body = self.exactly(length)?;
        Ok(true)
    }

    /// Whether the server closes the connection without sending anything more.
    ///
    /// # Errors
    /// When it neither closes nor sends until patience ends.
    pub fn is_closed(&mut self) -> anyhow::Result<bool> {
        match self.read_more() {
            Ok(more) => Ok(!more && self.pending.is_empty()),
            Err(error) if is_reset(&error) => Ok(self.pending.is_empty()),
            Err(error) => Err(error.into()),
        }
    }

    fn fields(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(':').with_context(|| format!("header line {line:?}"))?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> anyhow::Result<String> {
        loop {
            if let Some(end) = self.pending.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.pending.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if !self.read_more()? {
                bail!("the connection ended after {:?}", String::from_utf8_lossy(&self.pending));
            }
        }
    }

    fn exactly(&mut self, length: usize) -> anyhow::Result<Vec<u8>> {
        while self.pending.len() < length {
            ensure!(self.read_more()?, "the connection ended inside a body");
        }
        let rest = self.pending.split_off(length);
        Ok(std::mem::replace(&mut self.pending, rest))
    }

    /// Reads what there is; false at the end of the stream.
    fn read_more(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        let count = self.stream.read(&mut buffer)?;
        self.pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count > 0)
    }
}

fn is_reset(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe)
}
