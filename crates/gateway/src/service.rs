//! The path of one request through the gateway: inspect, hand over, clean what comes back.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cumulet_spec::id::RequestId;
use cumulet_spec::outcome::Outcome;
use futures_util::FutureExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;

use crate::body::RequestBody;
use crate::connection::{Connection, InFlight};
use crate::handler::{Handler, Incoming, Rejection};
use crate::head;
use crate::reply;
use crate::response::ResponseBody;

/// What a client is told to wait whose request came while its connection was ending.
const DRAIN_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Answers one request of a connection.
///
/// # Cancel safety
/// The handler runs inside this future, on no task of its own: dropping this drops it.
pub(crate) fn serve<H: Handler>(
    connection: &Arc<Connection<H>>,
    request: Request<hyper::body::Incoming>,
) -> impl Future<Output = Result<Response<ResponseBody<H>>, Infallible>> + Send + use<H> {
    // Begun here and not at the first poll: an HTTP/2 stream waits for a task in between, and counts already.
    let in_flight = connection.begin();
    async move { Ok(answer(in_flight, request).await) }
}

async fn answer<H: Handler>(
    in_flight: InFlight<H>,
    mut request: Request<hyper::body::Incoming>,
) -> Response<ResponseBody<H>> {
    let connection = in_flight.connection();
    let inspection = head::inspect(&mut request, &connection.config);
    let id = inspection.id.unwrap_or_else(|| in_flight.new_id());
    if let Some(refusal) = inspection.refusal {
        connection.handler.refused(refusal);
        return text(reply::refusal(refusal, &id, inspection.format), in_flight);
    }
    if connection.activity.is_leaving() {
        // It came after its connection was told to end: another connection will serve it.
        connection.handler.turned_away(Outcome::Draining);
        let draining = Rejection { outcome: Outcome::Draining, retry_after: Some(DRAIN_RETRY_AFTER) };
        return text(reply::rejection(&draining, &id, inspection.format), in_flight);
    }
    let is_head = *request.method() == Method::HEAD;
    let body_bytes_max = connection.config.body_bytes_max;
    let request = request.map(|body| RequestBody::from_wire(body, body_bytes_max));
    let incoming = Incoming { id, request, peer: connection.peer };
    // Also around the call itself: a handler may panic before it has a future.
    let handled = AssertUnwindSafe(async { connection.handler.handle(incoming).await }).catch_unwind().await;
    let answered = handled.unwrap_or_else(|panic| {
        tracing::error!(request_id = %id, panic = panic_text(&*panic), "the handler of a request panicked");
        Err(Rejection::from(Outcome::HostError))
    });
    match answered {
        Ok(response) if response.status().is_informational() => {
            // A final response cannot have such a status, and hyper would end the connection without one.
            text(reply::rejection(&Outcome::NoResponse.into(), &id, inspection.format), in_flight)
        }
        Ok(response) => handed_back(response, &id, is_head, in_flight),
        Err(rejection) => text(reply::rejection(&rejection, &id, inspection.format), in_flight),
    }
}

/// The handler's response, fit to leave.
fn handed_back<H: Handler>(
    response: Response<H::Body>,
    id: &RequestId,
    is_head: bool,
    in_flight: InFlight<H>,
) -> Response<ResponseBody<H>> {
    let (mut head, body) = response.into_parts();
    let bodiless = is_head || head.status == StatusCode::NOT_MODIFIED;
    head::clean_response(&mut head.headers, body.size_hint().exact(), bodiless);
    reply::set_request_id(&mut head.headers, id);
    Response::from_parts(head, ResponseBody::handler(body, in_flight))
}

/// A response of the gateway's own.
fn text<H: Handler>(reply: Response<Bytes>, in_flight: InFlight<H>) -> Response<ResponseBody<H>> {
    reply.map(|text| ResponseBody::text(text, in_flight))
}

/// What a panic said, as far as it is text.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "",
    }
}
