//! What every request goes through, made once.

use crate::apps::{Apps, Found, WakeError, bare};
use crate::books::Books;
use crate::chain::chain;
use crate::event::EventQueue;
use crate::invoke::invoke;
use crate::queue::Queue;
use crate::reply::ReplyBody;
use crate::slice::Slicer;
use crate::target::Routed;
use arc_swap::ArcSwap;
use cumulet_gateway::{Handler, Incoming, Refusal, Rejection};
use cumulet_meter::{Admission, Tally};
use cumulet_spec::outcome::Outcome;
use cumulet_spec::route::RouteTable;
use std::sync::Arc;

/// The parts of a node that requests meet.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) directory: Directory,
    pub(crate) admission: Arc<Admission>,
    pub(crate) slicer: Arc<Slicer>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) events: Arc<EventQueue>,
    pub(crate) books: Arc<Books>,
    /// Requests that reached no component.
    pub(crate) unrouted: Tally,
}

/// What requests are looked up in.
#[derive(Debug)]
pub(crate) enum Directory {
    /// The routes of the one app that is served.
    Installed(ArcSwap<RouteTable<Routed>>),
    /// The apps that are deployed, each with its routes.
    Deployed(Arc<Apps>),
}

impl Directory {
    /// What answers a request, if it is loaded or the one app that is served.
    pub(crate) fn find(&self, incoming: &Incoming) -> Option<Found> {
        match self {
            Self::Installed(routes) => {
                let request = &incoming.request;
                let routed = routes.load().find(incoming.authority(), request.method(), request.uri().path()).cloned();
                routed.map(Found::from)
            }
            Self::Deployed(apps) => {
                let host = bare(incoming.authority()?)?;
                apps.find(&host)?.arms.find(incoming)
            }
        }
    }

    /// What answers a request that found nothing loaded: loads the app of its host, if there is one that is not.
    pub(crate) async fn wake(&self, incoming: &Incoming) -> Result<Option<Found>, Rejection> {
        let Self::Deployed(apps) = self else { return Ok(None) };
        let Some(host) = incoming.authority().and_then(bare) else { return Ok(None) };
        // Loaded without such a route; or loaded by another request since this one looked.
        if let Some(app) = apps.find(&host) {
            return Ok(app.arms.find(incoming));
        }
        match apps.wake(&host).await {
            Ok(app) => Ok(app.and_then(|app| app.arms.find(incoming))),
            Err(error) => {
                tracing::error!(%host, error = %chain(&*error), "an app cannot be loaded");
                Err(if matches!(*error, WakeError::Busy) { Outcome::Shed } else { Outcome::HostError }.into())
            }
        }
    }
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

    fn turned_away(&self, outcome: Outcome) {
        self.0.unrouted.reject(outcome);
    }
}
