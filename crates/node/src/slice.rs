//! One slice of a guest: its executed time is measured, and the engine cuts it.

use crate::clock::now;
use cumulet_engine::{Gauge, Ticker, poll_measured};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::task::coop::unconstrained;

/// A guest from its instantiation to its end.
pub(crate) type Guest = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How often a guest that asks to be polled again at once is indulged in its first slice.
const FIRST_POLLS_MAX: u32 = 8;
/// Time after which a first slice is over in any case.
const FIRST_TIME_MAX: Duration = Duration::from_micros(500);

/// Polls guests while the ticker ticks.
#[derive(Debug)]
pub(crate) struct Slicer {
    ticker: Ticker,
}

/// Remembers that it was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

thread_local! {
    /// The waker of first slices on this thread. A guest that keeps it beyond its slice can cause one poll too many
    /// of another guest, and nothing else.
    static FIRST: (Arc<Flag>, Waker) = {
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        (Arc::clone(&flag), Waker::from(flag))
    };
}

/// How a guest's first slice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// So did the guest.
    Ended,
    /// It waits for something. No wake-up reaches it: whoever takes it over polls it once more.
    Waits,
    /// It would go on, and has to be polled again.
    GoesOn,
}

impl Slicer {
    pub(crate) fn new(ticker: Ticker) -> Self {
        Self { ticker }
    }

    /// Polls a guest for at most one slice.
    pub(crate) fn poll(
        &self,
        gauge: &Gauge,
        guest: Pin<&mut (dyn Future<Output = ()> + Send)>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let _running = self.ticker.running();
        // What a guest waits for is not charged to the connection's task, whose other requests would pay.
        poll_measured(gauge, pin!(unconstrained(guest)), context)
    }

    /// Runs a guest's first slice here and now. A guest of WASI 0.3 asks to be polled again between its steps; as long
    /// as it does, it has not waited for anything, and its slice goes on.
    pub(crate) fn first(&self, gauge: &Gauge, mut guest: Pin<&mut (dyn Future<Output = ()> + Send)>) -> First {
        let began = now();
        FIRST.with(|(flag, waker)| {
            let mut polls = pin!(poll_fn(|context| {
                for _ in 0..FIRST_POLLS_MAX {
                    flag.0.store(false, Ordering::SeqCst);
                    if guest.as_mut().poll(context).is_ready() {
                        return Poll::Ready(());
                    }
                    if !flag.0.load(Ordering::SeqCst) || now().saturating_duration_since(began) > FIRST_TIME_MAX {
                        break;
                    }
                }
                Poll::Pending
            }));
            let poll = self.poll(gauge, polls.as_mut(), &mut Context::from_waker(waker));
            match (poll, flag.0.load(Ordering::SeqCst)) {
                (Poll::Ready(()), _) => First::Ended,
                (Poll::Pending, false) => First::Waits,
                (Poll::Pending, true) => First::GoesOn,
            }
        })
    }
}
