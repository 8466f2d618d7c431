//! The next instance of a component, made while nobody waits for it.

use crate::serving::Serving;
use crate::slice::{First, Slicer};
use crate::target::Target;
use cumulet_capability::Making;
use cumulet_spec::id::RequestId;
use std::sync::Arc;

/// Slices that making an instance may take. What needs longer is work for the run queue, with its request.
const SLICES_MAX: u32 = 8;

/// Has it made after the invocation `id`, where that is worth it: by the runtime, once the response is on its way.
pub(crate) fn make_next(serving: &Serving, target: &Arc<Target>, id: RequestId) {
    let Some(making) = target.prepared.next(|| target.gauge()) else { return };
    let (slicer, target) = (Arc::clone(&serving.slicer), Arc::clone(target));
    serving.queue.later(async move { make(&slicer, &target, making, id).await });
}

/// Slices as an invocation's first, each measured, with others in between. Whoever takes the instance bears them.
async fn make(slicer: &Slicer, target: &Target, mut making: Making, id: RequestId) {
    let gauge = Arc::clone(making.gauge());
    let mut made = Box::pin(target.prepared.make(&mut making, id));
    let mut told_nanos = 0;
    for _ in 0..SLICES_MAX {
        let slice = slicer.first(&gauge, made.as_mut());
        let nanos = gauge.cpu_nanos();
        target.ran_inline(nanos - told_nanos);
        told_nanos = nanos;
        match slice {
            First::Ended => break,
            First::Waits => {
                drop(made);
                return making.decline();
            }
            First::GoesOn => tokio::task::yield_now().await,
        }
    }
    drop(made);
    making.keep();
}
