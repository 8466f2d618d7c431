//! What measuring one poll of a guest costs.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use anyhow::Result;
use cumulet_engine::{Gauge, poll_measured, thread_cpu_nanos};

use crate::clock;
use crate::report::{Cell, Table};
use crate::settings::Settings;
use crate::spread::Spread;

/// Polls in one repetition.
const POLLS: u32 = 2_000_000;
/// The same where the run is quick.
const POLLS_QUICK: u32 = 200_000;

/// A guest that waits for what never comes.
struct Waits;

impl Future for Waits {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        black_box(Poll::Pending)
    }
}

/// Both sides in turns.
pub(super) fn measure(settings: &Settings) -> Result<Table> {
    let (mut bare, mut measured, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    let polls = if settings.quick { POLLS_QUICK } else { POLLS };
    let gauge = Gauge::new(u64::MAX, u64::MAX);
    let mut context = Context::from_waker(Waker::noop());
    let mut guest = pin!(Waits);
    for _ in 0..settings.repetitions() {
        bare.push(each(polls, || black_box(guest.as_mut()).poll(&mut context).is_ready()));
        measured.push(each(polls, || poll_measured(&gauge, black_box(guest.as_mut()), &mut context).is_ready()));
        reads.push(each(polls, || black_box(thread_cpu_nanos()) == 0));
    }
    let mut table = Table::new("one poll of a guest, ns", &["what", "ns", "beyond one that is not measured"]);
    let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median);
    let least = median(&bare);
    let beyond = median(&measured).zip(least).map(|(own, least)| own - least);
    table.row(vec![Cell::text("a poll, not measured"), Cell::spread(&bare, 1), Cell::None]);
    table.row(vec![Cell::text("a poll, measured"), Cell::spread(&measured, 1), Cell::number(beyond, 1)]);
    table.row(vec![Cell::text("one reading of the thread's processor time"), Cell::spread(&reads, 1), Cell::None]);
    Ok(table)
}

/// Nanoseconds for each of so many calls.
fn each(calls: u32, mut call: impl FnMut() -> bool) -> f64 {
    let began = clock::now();
    let mut said_yes = 0_u32;
    for _ in 0..calls {
        said_yes += u32::from(call());
    }
    black_box(said_yes);
    began.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}
