//! Requests that never end.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use crate::fleet::{App, get};
use crate::wire::Connection;

/// What a guest does without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loop {
    /// Adds numbers, so that it can be cut at every turn.
    Plain,
    /// Fills memory, in instructions that cannot be cut.
    Bulk,
}

/// Requests under way. Dropping them closes their connections.
#[derive(Debug)]
pub(super) struct Spinners(Vec<Connection>);

impl Loop {
    /// Its name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Bulk => "bulk",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Plain => "/spin",
            Self::Bulk => "/spin-bulk",
        }
    }
}

impl Spinners {
    /// Sends so many requests, each on a connection of its own.
    pub(super) fn start(address: SocketAddr, app: &App, kind: Loop, count: usize) -> Result<Self> {
        let bytes = get(&app.host(), kind.path());
        let mut connections = Vec::new();
        for _ in 0..count {
            let mut connection = Connection::open(address).context("cannot connect for a request that never ends")?;
            connection.send(&bytes)?;
            connections.push(connection);
        }
        Ok(Self(connections))
    }

    /// Fails where one of them has ended.
    pub(super) fn check(mut self) -> Result<()> {
        for connection in &mut self.0 {
            let reply = connection.poll().context("a request that never ends was cut off")?;
            ensure!(reply.is_none(), "a request that never ends was answered: {reply:?}");
        }
        Ok(())
    }
}
