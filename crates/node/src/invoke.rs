//! The artery: what happens to a request, in order.
//!
//! Route, admit, instantiate, run, settle. This is the one place that makes instances.

use crate::clock::now;
use crate::inside::Within;
use crate::reply::{Answer, Remains, ReplyBody};
use crate::serving::Serving;
use crate::target::{Routed, Target};
use crate::task::Task;
use crate::ticket::{Admitted, Ticket, outcome_of};
use cumulet_capability::{GuestResponse, Inside, RequestBodyFailure};
use cumulet_gateway::{Incoming, Rejection, RequestBody, RequestBodyError, RequestBodyErrorKind};
use cumulet_meter::Permit;
use cumulet_spec::outcome::Outcome;
use http::HeaderValue;
use http_body_util::BodyExt as _;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for its component's concurrency or for a slot of the node.
const QUEUE_TIME_MAX: Duration = Duration::from_millis(250);
/// What a client that was turned away is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Serves one request in an instance of its own.
pub(crate) async fn invoke(serving: &Arc<Serving>, incoming: Incoming) -> Result<http::Response<ReplyBody>, Rejection> {
    let routed = route(serving, &incoming)?;
    invoke_at(serving, routed, incoming, 0).await
}

/// The same for a request whose target is known, `depth` calls inside its app.
pub(crate) async fn invoke_at(
    serving: &Arc<Serving>,
    routed: Routed,
    incoming: Incoming,
    depth: u8,
) -> Result<http::Response<ReplyBody>, Rejection> {
    let permit = admit(&routed.target).await?;
    let is_head = incoming.request.method() == http::Method::HEAD;
    let (ticket, request) = admitted(serving, (routed, depth), permit, incoming);
    let mut guest = Box::pin(Arc::clone(&ticket.target.prepared).run(Arc::clone(&ticket.exchange), ticket.id, request));
    // The first slice runs at once, here: most guests need no other.
    if serving.slicer.first(ticket.exchange.gauge(), guest.as_mut()).is_ready() {
        drop(guest);
        return settle(ticket);
    }
    let task = Task::hand_off(guest, ticket, &serving.queue, &serving.slicer);
    follow(Answer::new(task), is_head).await
}

/// Finds what answers a request.
fn route(serving: &Serving, incoming: &Incoming) -> Result<Routed, Rejection> {
    let routes = serving.routes.load();
    let request = &incoming.request;
    let found = routes.find(incoming.authority(), request.method(), request.uri().path());
    found.cloned().ok_or_else(|| {
        serving.unrouted.reject(Outcome::NoRoute);
        Outcome::NoRoute.into()
    })
}

/// Gets the permit to run, at once or after a short wait.
async fn admit(target: &Arc<Target>) -> Result<Permit, Rejection> {
    if let Ok(permit) = target.lane.try_admit() {
        return Ok(permit);
    }
    let mut entering = target.lane.admit();
    let refused = match tokio::time::timeout(QUEUE_TIME_MAX, &mut entering).await {
        Ok(Ok(permit)) => return Ok(permit),
        Ok(Err(refused)) => refused,
        Err(_elapsed) => entering.waits_for(),
    };
    let outcome = Outcome::from(refused);
    target.lane.tally().reject(outcome);
    Err(Rejection { outcome, retry_after: Some(RETRY_AFTER) })
}

/// Opens the invocation: its ticket, and the request as the guest's host takes it.
fn admitted(
    serving: &Arc<Serving>,
    (routed, depth): (Routed, u8),
    permit: Permit,
    incoming: Incoming,
) -> (Ticket, http::Request<impl http_body::Body<Data = bytes::Bytes, Error = RequestBodyFailure> + Send + 'static>) {
    let Incoming { id, mut request, .. } = incoming;
    if request.uri().authority().is_none() {
        // HTTP/1.0 may come without; WASI knows no request without an authority.
        request.headers_mut().entry(http::header::HOST).or_insert(HeaderValue::from_static("localhost"));
    }
    let bytes_in = request.body().meter();
    let admitted = Admitted { permit, started: now(), id, bytes_in };
    let Routed { target, crew } = routed;
    let inside =
        crew.map(|crew| -> Arc<dyn Inside> { Arc::new(Within { serving: Arc::clone(serving), crew, id, depth }) });
    let ticket = Ticket::new((target, inside), admitted, Arc::clone(&serving.events), &request);
    (ticket, request.map(|body: RequestBody| body.map_err(read_body_error)))
}

fn read_body_error(error: RequestBodyError) -> RequestBodyFailure {
    match error.kind() {
        RequestBodyErrorKind::TooLarge => RequestBodyFailure::TooLarge,
        RequestBodyErrorKind::Disconnected | RequestBodyErrorKind::Malformed => RequestBodyFailure::Broken,
    }
}

/// Ends an invocation whose guest ended within its first slice: the response, if any, is all here.
fn settle(mut ticket: Ticket) -> Result<http::Response<ReplyBody>, Rejection> {
    let response = match ticket.exchange.take() {
        Some(Ok(response)) if is_final(&response) && !ticket.body_too_large() => response,
        Some(Err(text)) => {
            ticket.note(text);
            let outcome = ticket.outcome_without_answer();
            return reject(ticket, outcome);
        }
        _ => {
            let outcome = ticket.outcome_without_answer();
            return reject(ticket, outcome);
        }
    };
    let failed = ticket.exchange.end().map(outcome_of).filter(|outcome| *outcome != Outcome::Ok);
    let (head, body) = response.into_parts();
    match (failed, ReplyBody::whole(body)) {
        (None, Remains::Whole(body, bytes)) => {
            ticket.settle(Outcome::Ok, head.status.as_u16(), bytes);
            Ok(http::Response::from_parts(head, body))
        }
        // Nothing is out yet: the client gets the status of the failure instead of half an answer.
        (Some(outcome), _) => reject(ticket, outcome),
        (None, Remains::Broken) => reject(ticket, Outcome::Trap),
    }
}

fn reject(ticket: Ticket, outcome: Outcome) -> Result<http::Response<ReplyBody>, Rejection> {
    ticket.settle(outcome, outcome.status(), 0);
    Err(Rejection { outcome, retry_after: outcome.retry_after().then_some(RETRY_AFTER) })
}

/// Waits for the response of a guest that runs in the queue.
async fn follow(mut answer: Answer, is_head: bool) -> Result<http::Response<ReplyBody>, Rejection> {
    let exchange = Arc::clone(answer.task().exchange());
    let response: Option<Result<GuestResponse, String>> = poll_fn(|context| exchange.poll_take(context)).await;
    match response {
        Some(Ok(response)) if is_final(&response) && !answer.task().body_too_large() => {
            answer.task().answered(response.status().as_u16());
            if let Some(bytes) = body_length(&response, is_head) {
                answer.expect(bytes);
            }
            Ok(response.map(|body| ReplyBody::live(body, answer)))
        }
        refused => {
            if let Some(Err(text)) = refused {
                answer.task().note(text);
            }
            let outcome = answer.refuse();
            Err(Rejection { outcome, retry_after: outcome.retry_after().then_some(RETRY_AFTER) })
        }
    }
}

/// An interim status is no answer.
fn is_final(response: &GuestResponse) -> bool {
    !response.status().is_informational()
}

/// How long the body will be, where the head says so.
fn body_length(response: &GuestResponse, is_head: bool) -> Option<u64> {
    let status = response.status();
    if is_head || status == http::StatusCode::NO_CONTENT || status == http::StatusCode::NOT_MODIFIED {
        return Some(0);
    }
    response.headers().get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
