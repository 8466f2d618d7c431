//! A server that takes requests and answers none of them before it is told to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// The longest that is waited for the head of a request that has been sent.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// Bytes that a request's head has room in.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// What everybody is answered.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The server, and those that wait for it.
#[derive(Debug)]
pub(super) struct Held {
    /// Where it listens.
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Vec<TcpStream>>,
    is_stopped: AtomicBool,
}

impl Held {
    /// Listens on a free port.
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().len()
    }

    /// Answers all that wait.
    pub(super) fn release(&self) -> Result<()> {
        for mut stream in self.shared.lock().drain(..) {
            // Closing a socket that holds bytes nobody has read would take the answer back.
            stream.set_read_timeout(Some(HEAD_MAX))?;
            let (mut head, mut filled) = (vec![0; HEAD_BYTES_MAX], 0);
            while !head.get(..filled).unwrap_or_default().ends_with(b"\r\n\r\n") {
                let read = stream.read(head.get_mut(filled..).unwrap_or_default()).context("no request came")?;
                ensure!(read > 0, "a request has no end");
                filled += read;
            }
            stream.write_all(ANSWER).context("cannot answer")?;
        }
        Ok(())
    }
}

impl Shared {
    fn accept(&self, listener: &TcpListener) {
        for stream in listener.incoming().map_while(Result::ok) {
            if self.is_stopped.load(Ordering::Relaxed) {
                break;
            }
            self.lock().push(stream);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        // The thread looks at the flag once something comes.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_answered_before_all_are() {
        let held = Held::start().unwrap();
        let mut streams: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(held.address).unwrap()).collect();
        for stream in &mut streams {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        }
        while held.waiting() < streams.len() {
            thread::yield_now();
        }
        held.release().unwrap();
        for mut stream in streams {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert_eq!(answer, ANSWER);
        }
    }
}
