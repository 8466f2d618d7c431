//! What every request goes through, made once.

use crate::event::EventQueue;
use crate::invoke::invoke;
use crate::queue::Queue;
use crate::reply::ReplyBody;
use crate::slice::Slicer;
use crate::target::Routed;
use arc_swap::ArcSwap;
use cumulet_gateway::{Handler, Incoming, Refusal, Rejection};
use cumulet_meter::{Admission, Tally};
use cumulet_spec::route::RouteTable;
use std::sync::Arc;

/// The parts of a node that requests meet.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) routes: ArcSwap<RouteTable<Routed>>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) slicer: Arc<Slicer>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) events: Arc<EventQueue>,
    /// Requests that reached no component.
    pub(crate) unrouted: Tally,
}

/// The gateway's way to the node.
#[derive(Clone, Debug)]
pub(crate) struct ServingHandler(pub(crate) Arc<Serving>);

impl Handler for ServingHandler {
    type Body = ReplyBody;

    async fn handle(&self, incoming: Incoming) -> Result<http::Response<ReplyBody>, Rejection> {
        invoke(&self.0, incoming).await
    }

    fn refused(&self, refusal: Refusal) {
        if let Some(outcome) = refusal.outcome() {
            self.0.unrouted.reject(outcome);
        }
    }
}
