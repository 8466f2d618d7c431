//! Executed time: the thread's processor time over every poll of a guest.

use crate::cpu::thread_cpu_nanos;
use crate::gauge::Gauge;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls a guest once and adds the thread's processor time to its gauge.
pub fn poll_measured<F: Future + ?Sized>(
    gauge: &Gauge,
    guest: Pin<&mut F>,
    context: &mut Context<'_>,
) -> Poll<F::Output> {
    gauge.slice_starts(thread_cpu_nanos());
    let poll = guest.poll(context);
    gauge.slice_ends(thread_cpu_nanos());
    poll
}

/// A future whose every poll is added to a gauge.
#[derive(Debug)]
pub struct Measured<'a, F> {
    gauge: &'a Gauge,
    guest: Pin<Box<F>>,
}

impl<'a, F: Future> Measured<'a, F> {
    /// Measures `guest` with `gauge`.
    pub fn new(gauge: &'a Gauge, guest: F) -> Self {
        Self { gauge, guest: Box::pin(guest) }
    }
}

impl<F: Future> Future for Measured<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let gauge = self.gauge;
        poll_measured(gauge, self.guest.as_mut(), context)
    }
}
