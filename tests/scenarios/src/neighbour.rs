//! A client that keeps calling a well-behaved app while others misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, ensure};

use crate::http1::Connection;

/// A loop of requests, one after another, each of which has to succeed.
#[derive(Debug)]
pub struct Neighbour {
    stop: Arc<AtomicBool>,
    calls: JoinHandle<anyhow::Result<u64>>,
}

impl Neighbour {
    /// Calls `path`, which counts its calls, until [`Self::finish`].
    #[must_use]
    pub fn call(address: SocketAddr, path: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let calls = std::thread::spawn(move || {
            let mut calls = 0;
            let mut connection = Connection::open(address)?;
            while !stopped.load(Ordering::Relaxed) {
                call(&mut connection, path).with_context(|| format!("the neighbour's request {}", calls + 1))?;
                calls += 1;
            }
            Ok(calls)
        });
        Self { stop, calls }
    }

    /// Ends the loop and says how many requests succeeded.
    ///
    /// # Errors
    /// The first failure among them.
    pub fn finish(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        match self.calls.join() {
            Ok(calls) => calls,
            Err(_) => anyhow::bail!("the neighbour panicked"),
        }
    }
}

fn call(connection: &mut Connection, path: &str) -> anyhow::Result<()> {
    connection.request("GET", path, &[])?;
    let reply = connection.reply("GET")?;
    ensure!(reply.status() == 200 && reply.body == b"1\n", "{reply:?}");
    Ok(())
}
