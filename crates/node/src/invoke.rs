//! The artery: what happens to a request, in order.
//!
//! Route, admit, instantiate, run, settle. This is the one place that makes instances.

use crate::apps::Found;
use crate::clock::now;
use crate::inside::Within;
use crate::reply::{Answer, Remains, ReplyBody};
use crate::serving::Serving;
use crate::slice::First;
use crate::target::{Routed, Target};
use crate::task::Task;
use crate::ticket::{Admittance, Admitted, Ticket, outcome_of};
use cumulet_capability::{GuestResponse, Inside, RequestBodyFailure};
use cumulet_gateway::{Incoming, Rejection, RequestBody, RequestBodyError, RequestBodyErrorKind};
use cumulet_meter::{Over, Passage};
use cumulet_spec::outcome::Outcome;
use cumulet_spec::quota::QuotaLimit;
use http::HeaderValue;
use http::header::SET_COOKIE;
use http_body_util::BodyExt as _;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for its component's concurrency or for a slot of the node.
const QUEUE_TIME_MAX: Duration = Duration::from_millis(250);
/// How often, and after how long, it looks again whether its tenant's concurrency has room meanwhile.
const QUOTA_LOOKS: u32 = 25;
/// See [`QUOTA_LOOKS`].
const QUOTA_LOOK: Duration = Duration::from_millis(10);
/// What a client that was turned away is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Serves one request in an instance of its own.
pub(crate) async fn invoke(serving: &Arc<Serving>, incoming: Incoming) -> Result<http::Response<ReplyBody>, Rejection> {
    let Found { routed, cookie } = route(serving, &incoming).await?;
    let mut response = invoke_at(serving, routed, incoming, 0).await?;
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, *cookie);
    }
    Ok(response)
}

/// The same for a request whose target is known, `depth` calls inside its app.
pub(crate) async fn invoke_at(
    serving: &Arc<Serving>,
    routed: Routed,
    incoming: Incoming,
    depth: u8,
) -> Result<http::Response<ReplyBody>, Rejection> {
    let admittance = admit(serving, &routed.target).await?;
    let framing = Framing::of(&incoming.request);
    let (ticket, request) = admitted(serving, (routed, depth), admittance, incoming);
    let mut guest = Box::pin(Arc::clone(&ticket.target.prepared).run(Arc::clone(&ticket.exchange), ticket.id, request));
    // The first slice runs at once, here: most guests need no other.
    let first = serving.slicer.first(ticket.exchange.gauge(), guest.as_mut());
    serving.queue.charge(ticket.target.turn, ticket.exchange.gauge().cpu_nanos());
    if first == First::Ended {
        drop(guest);
        return settle(ticket);
    }
    let task = Task::new(guest, ticket, &serving.queue, &serving.slicer);
    if first == First::GoesOn {
        serving.queue.push(Arc::clone(&task));
    } else {
        // It waits: polled once more, it can be woken.
        serving.queue.settle(Arc::clone(&task).run());
    }
    follow(Answer::new(task), framing).await
}

/// Finds what answers a request; an app that sleeps is woken for it.
async fn route(serving: &Serving, incoming: &Incoming) -> Result<Found, Rejection> {
    if let Some(found) = serving.directory.find(incoming) {
        return Ok(found);
    }
    let woken = serving.directory.wake(incoming).await;
    woken.and_then(|found| found.ok_or(Outcome::NoRoute.into())).inspect_err(|rejection| {
        serving.unrouted.reject(rejection.outcome);
    })
}

/// Gets the permit to run, at once or after a short wait; with it, room for the usage record, and what quotas leave.
async fn admit(serving: &Serving, target: &Arc<Target>) -> Result<Admittance, Rejection> {
    let refuse = |outcome: Outcome, retry_after| {
        target.lane.tally().reject(outcome);
        target.refused.count(outcome);
        Rejection { outcome, retry_after: Some(retry_after) }
    };
    let place = serving.books.ledger.reserve().ok_or_else(|| refuse(Outcome::Shed, RETRY_AFTER))?;
    let passage =
        pass(serving, target).await.map_err(|over| refuse(over.into(), Duration::from_micros(over.retry_after_us)))?;
    if let Ok(permit) = target.lane.try_admit() {
        return Ok(Admittance { permit, place, passage });
    }
    let mut entering = target.lane.admit();
    let refused = match tokio::time::timeout(QUEUE_TIME_MAX, &mut entering).await {
        Ok(Ok(permit)) => return Ok(Admittance { permit, place, passage }),
        Ok(Err(refused)) => refused,
        Err(_elapsed) => entering.waits_for(),
    };
    if let Some(passage) = passage {
        passage.cancel(serving.books.now_us());
    }
    Err(refuse(refused.into(), RETRY_AFTER))
}

/// Passes the quotas of the app and its tenant, if they have any.
async fn pass(serving: &Serving, target: &Target) -> Result<Option<Passage>, Over> {
    if !target.has_quota() {
        return Ok(None);
    }
    for _ in 0..QUOTA_LOOKS {
        match target.quotas.try_enter(serving.books.now_us(), target.ask()) {
            // A place comes free when an invocation ends: that is worth a short wait, as it is at the lane.
            Err(over) if over.limit == QuotaLimit::Concurrency => tokio::time::sleep(QUOTA_LOOK).await,
            entered => return entered.map(Some),
        }
    }
    target.quotas.try_enter(serving.books.now_us(), target.ask()).map(Some)
}

/// Opens the invocation: its ticket, and the request as the guest's host takes it.
fn admitted(
    serving: &Arc<Serving>,
    (routed, depth): (Routed, u8),
    admittance: Admittance,
    incoming: Incoming,
) -> (Ticket, http::Request<impl http_body::Body<Data = bytes::Bytes, Error = RequestBodyFailure> + Send + 'static>) {
    let Incoming { id, mut request, .. } = incoming;
    if request.uri().authority().is_none() {
        // HTTP/1.0 may come without; WASI knows no request without an authority.
        request.headers_mut().entry(http::header::HOST).or_insert(HeaderValue::from_static("localhost"));
    }
    let bytes_in = request.body().meter();
    let admitted = Admitted { admittance, started: now(), id, bytes_in };
    let Routed { target, crew } = routed;
    let inside =
        crew.map(|crew| -> Arc<dyn Inside> { Arc::new(Within { serving: Arc::clone(serving), crew, id, depth }) });
    let ticket = Ticket::new((target, inside), admitted, serving, &request);
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
    let failed = failed.map(|outcome| ticket.named(outcome));
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
async fn follow(mut answer: Answer, framing: Framing) -> Result<http::Response<ReplyBody>, Rejection> {
    let exchange = Arc::clone(answer.task().exchange());
    let response: Option<Result<GuestResponse, String>> = poll_fn(|context| exchange.poll_take(context)).await;
    match response {
        Some(Ok(response)) if is_final(&response) && !answer.task().body_too_large() => {
            answer.task().answered(response.status().as_u16());
            if let Some(bytes) = framing.body_length(&response) {
                answer.expect(bytes);
            }
            if framing.ends_with_head(&response) {
                answer.complete();
                recorded(&answer).await;
            }
            Ok(response.map(|body| ReplyBody::live(body, answer)))
        }
        refused => {
            if let Some(Err(text)) = refused {
                answer.task().note(text);
            }
            let outcome = answer.refuse();
            recorded(&answer).await;
            Err(Rejection { outcome, retry_after: outcome.retry_after().then_some(RETRY_AFTER) })
        }
    }
}

/// No client has the end of a response before its usage record is written.
async fn recorded(answer: &Answer) {
    poll_fn(|context| answer.task().poll_recorded(context)).await;
}

/// An interim status is no answer.
fn is_final(response: &GuestResponse) -> bool {
    !response.status().is_informational()
}

/// What a request says of the form of its response.
#[derive(Clone, Copy, Debug)]
struct Framing {
    is_head: bool,
    has_trailers: bool,
}

impl Framing {
    fn of<B>(request: &http::Request<B>) -> Self {
        // After a body of a known length there is room for trailers in HTTP/2 only.
        Self {
            is_head: request.method() == http::Method::HEAD,
            has_trailers: request.version() == http::Version::HTTP_2,
        }
    }

    fn is_bodyless(self, response: &GuestResponse) -> bool {
        let status = response.status();
        self.is_head || status == http::StatusCode::NO_CONTENT || status == http::StatusCode::NOT_MODIFIED
    }

    /// How long the body will be, where the head says so.
    fn body_length(self, response: &GuestResponse) -> Option<u64> {
        if self.is_bodyless(response) {
            return Some(0);
        }
        response.headers().get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// Whether nothing follows the head.
    fn ends_with_head(self, response: &GuestResponse) -> bool {
        self.is_bodyless(response) || (!self.has_trailers && self.body_length(response) == Some(0))
    }
}
