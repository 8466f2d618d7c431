//! The next instance of a component, made while nobody waits for it.

use crate::serving::Serving;
use crate::slice::{First, Slicer};
use crate::target::Target;
use cumulet_capability::Making;
use cumulet_spec::id::RequestId;
use std::sync::Arc;

/// Executed time that making an instance may take, in nanoseconds. What needs longer is work for the run queue, with its
/// request.
const NANOS_MAX: u64 = 8_000_000;
/// The same where a quota bounds executed time: no more than every invocation has reserved before it may run.
const NANOS_MAX_OF_QUOTA: u64 = 1_000_000;

/// Has it made after the invocation `id`, where that is worth it: by the runtime, once the response is on its way.
pub(crate) fn make_next(serving: &Serving, target: &Arc<Target>, id: RequestId) {
    let Some(making) = target.prepared.next(|| target.gauge()) else { return };
    let (slicer, target) = (Arc::clone(&serving.slicer), Arc::clone(target));
    serving.queue.later(async move { make(&slicer, &target, making, id).await });
}

/// Slices as an invocation's first, each measured, with others in between. Whoever takes the instance bears them, and
/// its tenant's share.
async fn make(slicer: &Slicer, target: &Target, mut making: Making, id: RequestId) {
    // Whoever is ready goes first: where requests come faster than they are answered there is nothing to gain.
    tokio::task::yield_now().await;
    let gauge = Arc::clone(making.gauge());
    let mut made = Box::pin(target.prepared.make(&mut making, id));
    let nanos_max = if target.has_quota() { NANOS_MAX_OF_QUOTA } else { NANOS_MAX };
    let is_made = loop {
        let slice = slicer.first(&gauge, made.as_mut());
        match slice {
            _ if gauge.cpu_nanos() > nanos_max => break false,
            First::Ended => break true,
            First::Waits => {
                drop(made);
                return making.decline();
            }
            First::GoesOn => tokio::task::yield_now().await,
        }
    };
    drop(made);
    if is_made { making.keep() } else { making.give_up() }
}
