//! A server that a guest may try to reach: it counts who came.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers every connection with 204 and counts it.
#[derive(Debug)]
pub struct Listener {
    /// Where it listens.
    pub address: SocketAddr,
    visits: Arc<AtomicU64>,
}

impl Listener {
    /// Starts to listen on a free port; the thread ends with the process.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let visits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&visits);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                // What the visitor does with it is not this listener's business.
                let _read = stream.read(&mut [0; 4096]);
                let _written = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            }
        });
        Ok(Self { address, visits })
    }

    /// How many connections came.
    #[must_use]
    pub fn visits(&self) -> u64 {
        self.visits.load(Ordering::SeqCst)
    }
}
