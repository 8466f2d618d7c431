//! Asks apps on one kept connection, and holds what they answer against what they should.

use std::time::Duration;

use anyhow::{Context, Result};

use super::deploy::App;
use super::node::{NodeProcess, get};
use crate::clock;
use crate::wire::Connection;

/// The longest that an app may take to answer; it may have to be compiled first.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A kept connection to a node.
#[derive(Debug)]
pub(crate) struct Caller(Connection);

impl Caller {
    /// Connects.
    pub(crate) fn new(node: &NodeProcess) -> Result<Self> {
        node.connect().map(Self)
    }

    /// Asks an app, and says how long it took to answer.
    pub(crate) fn ask(&mut self, app: &App) -> Result<Duration> {
        let host = app.host();
        let bytes = get(&host, &app.model.path);
        let began = clock::now();
        let reply = self.0.exchange(&bytes, ANSWER_MAX).with_context(|| format!("{host} does not answer"))?;
        let took = began.elapsed();
        NodeProcess::check(&host, &reply, &app.model.expect)?;
        Ok(took)
    }
}
