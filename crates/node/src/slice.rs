//! One poll of a guest: its executed time is measured and its slice cut.

use cumulet_engine::{Gauge, Ticker, poll_measured};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A guest from its instantiation to its end.
pub(crate) type Guest = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Polls guests while the ticker ticks.
#[derive(Debug)]
pub(crate) struct Slicer {
    ticker: Ticker,
}

impl Slicer {
    pub(crate) fn new(ticker: Ticker) -> Self {
        Self { ticker }
    }

    /// Polls a guest for at most one slice.
    pub(crate) fn poll(&self, gauge: &Gauge, guest: Pin<&mut (dyn Future<Output = ()> + Send)>, context: &mut Context<'_>) -> Poll<()> {
        let _running = self.ticker.running();
        poll_measured(gauge, guest, context)
    }
}
