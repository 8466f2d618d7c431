//! The handler behind the gateway in these tests: one behaviour for each path.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use cumulet_gateway::{BodyFailure, Handler, Incoming, Refusal, Rejection};
use cumulet_spec::outcome::Outcome;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::{Semaphore, mpsc};

/// What happened in the handler.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Arrived,
    Dropped,
    Refused(Refusal),
}

#[derive(Clone)]
pub(crate) struct Guest {
    /// One permit lets one request to `/gate` pass.
    pub(crate) gate: Arc<Semaphore>,
    events: mpsc::Sender<Event>,
    seen: Arc<tokio::sync::Mutex<mpsc::Receiver<Event>>>,
}

type Answer = Result<Response<UnsyncBoxBody<Bytes, BodyFailure>>, Rejection>;

impl Guest {
    pub(crate) fn new() -> Self {
        let (events, seen) = mpsc::channel(256);
        Self { gate: Arc::new(Semaphore::new(0)), events, seen: Arc::new(tokio::sync::Mutex::new(seen)) }
    }

    pub(crate) async fn event(&self) -> Event {
        self.seen.lock().await.recv().await.unwrap()
    }

    /// Whether nothing happened that no test has looked at.
    pub(crate) async fn is_quiet(&self) -> bool {
        self.seen.lock().await.is_empty()
    }

    fn happened(&self, event: Event) {
        self.events.try_send(event).unwrap();
    }

    async fn gated(&self) -> Answer {
        self.happened(Event::Arrived);
        self.gate.acquire().await.unwrap().forget();
        text("passed")
    }

    async fn hang(&self) -> Answer {
        let _guard = TellsDrop(self.clone());
        self.happened(Event::Arrived);
        std::future::pending().await
    }
}

struct TellsDrop(Guest);

impl Drop for TellsDrop {
    fn drop(&mut self) {
        self.0.happened(Event::Dropped);
    }
}

impl Handler for Guest {
    type Body = UnsyncBoxBody<Bytes, BodyFailure>;

    async fn handle(&self, incoming: Incoming) -> Answer {
        let path = incoming.request.uri().path().to_owned();
        match path.as_str() {
            "/echo" => echo(incoming),
            "/count" => count(incoming).await,
            "/gate" => self.gated().await,
            "/hang" => self.hang().await,
            "/panic" => panic!("the handler is broken"),
            "/fail" => Ok(Response::new(Script::new([Ok("begun"), Err(Outcome::Trap)]).boxed_unsync())),
            "/flood" => Ok(Response::new(Script::endless().boxed_unsync())),
            "/lies" => Ok(lies(incoming.request.headers())),
            "/switch" => {
                Ok(Response::builder().status(101).body(Full::default().map_err(never).boxed_unsync()).unwrap())
            }
            rejected if rejected.starts_with("/reject/") => Err(rejection(&rejected["/reject/".len()..])),
            _ => text(&describe(&incoming)),
        }
    }

    fn refused(&self, refusal: Refusal) {
        self.happened(Event::Refused(refusal));
    }
}

fn never(never: std::convert::Infallible) -> BodyFailure {
    match never {}
}

fn text(text: &str) -> Answer {
    Ok(Response::new(Full::from(text.to_owned()).map_err(never).boxed_unsync()))
}

/// The request as the handler sees it: what a guest would see.
fn describe(incoming: &Incoming) -> String {
    let request = &incoming.request;
    let mut lines = vec![format!("{} {} for {:?}", request.method(), request.uri(), incoming.authority())];
    lines.extend(request.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())));
    lines[1..].sort();
    lines.push(format!("id {}", incoming.id));
    lines.join("\n")
}

fn echo(incoming: Incoming) -> Answer {
    let body = incoming.request.into_body().map_err(|error| BodyFailure { outcome: error.outcome() });
    let response = Response::builder().header("trailer", "x-sum");
    Ok(response.body(body.boxed_unsync()).unwrap())
}

async fn count(incoming: Incoming) -> Answer {
    let meter = incoming.request.body().meter();
    match incoming.request.into_body().collect().await {
        Ok(body) => text(&format!("{} {} {:?}", body.to_bytes().len(), meter.bytes(), meter.too_large())),
        Err(error) => {
            assert_eq!(meter.too_large(), error.outcome() == Outcome::TooLarge);
            Err(error.outcome().into())
        }
    }
}

/// A response that says about its framing what is not so; the query-like header picks the lie.
fn lies(asked: &HeaderMap) -> Response<UnsyncBoxBody<Bytes, BodyFailure>> {
    let mut response = Response::new(Full::from("hello").map_err(never).boxed_unsync());
    let headers = response.headers_mut();
    for (name, value) in [
        ("connection", "x-private, keep-alive"),
        ("keep-alive", "timeout=9"),
        ("transfer-encoding", "gzip, chunked"),
        ("upgrade", "h2c"),
        ("proxy-connection", "close"),
        ("te", "trailers"),
        ("x-request-id", "the guest's own"),
        ("x-kept", "yes"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    for length in asked.get_all("x-length") {
        headers.append("content-length", length.clone());
    }
    response
}

fn rejection(label: &str) -> Rejection {
    let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.label() == label).unwrap();
    Rejection::from(outcome)
}

/// A body that yields what it was given, or never ends.
struct Script {
    steps: std::vec::IntoIter<Result<&'static str, Outcome>>,
    endless: bool,
}

impl Script {
    fn new<const N: usize>(steps: [Result<&'static str, Outcome>; N]) -> Self {
        Self { steps: Vec::from(steps).into_iter(), endless: false }
    }

    fn endless() -> Self {
        Self { steps: Vec::new().into_iter(), endless: true }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        if self.endless {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 65_536])))));
        }
        Poll::Ready(self.steps.next().map(|step| match step {
            Ok(text) => Ok(Frame::data(Bytes::from_static(text.as_bytes()))),
            Err(outcome) => Err(BodyFailure { outcome }),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
