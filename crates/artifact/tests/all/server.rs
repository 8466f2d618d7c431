//! A server that answers whatever a test wants, byte by byte, and remembers what it was asked.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What was asked: the line of the request without its version, its headers with their names in lower case, and its body.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) headers: Vec<String>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|header| header.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What is answered.
pub(super) enum Answer {
    /// These bytes, and the end of the connection.
    Bytes(Vec<u8>),
    /// A head, and a body without an end.
    Endless(&'static str),
}

impl Answer {
    pub(super) fn status(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        Self::Bytes([head.as_bytes(), body].concat())
    }

    pub(super) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status(200, "", body)
    }
}

/// Ends with the process: its thread waits for connections that nobody makes any more.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Asked, SocketAddr) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, asked: Arc::default() };
        let (asked, answer) = (Arc::clone(&server.asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                thread::spawn(move || serve(&mut stream.unwrap(), &asked, |request| answer(request, address)));
            }
        });
        server
    }

    pub(super) fn registry(&self) -> String {
        self.address.to_string()
    }

    /// Everything that was asked, in order.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

fn serve(stream: &mut TcpStream, asked: &Mutex<Vec<Asked>>, answer: impl Fn(&Asked) -> Answer) {
    let Some(request) = read(stream) else { return };
    asked.lock().unwrap().push(request.clone());
    write(stream, answer(&request));
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut more = |bytes: &mut Vec<u8>| {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        Some(())
    };
    let head = loop {
        more(&mut bytes)?;
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers =
        lines.filter_map(|line| line.split_once(": ").map(|(name, value)| format!("{}: {value}", name.to_lowercase())));
    let mut asked = Asked { line, headers: headers.collect(), body: String::new() };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + 4 + length {
        more(&mut bytes)?;
    }
    asked.body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    Some(asked)
}

fn write(stream: &mut TcpStream, answer: Answer) {
    match answer {
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes)),
        Answer::Endless(head) => {
            let mut piece = head.as_bytes().to_vec();
            let chunk = [b"8000\r\n".as_slice(), &[b'{'; 0x8000], b"\r\n"].concat();
            while stream.write_all(&piece).is_ok() {
                piece.clone_from(&chunk);
            }
        }
    }
    // What is still unread would make the system throw away what was written.
    drop(stream.shutdown(std::net::Shutdown::Write));
    drop(stream.read_to_end(&mut Vec::new()));
}
