//! The side that has the clients: a handler that sends what it is given to another process.

use super::CLOSE_TIME_MAX;
use super::arriving::Item;
use super::frame::Frame;
use super::head::{Ending, ResponseHead};
use super::link::{Link, Step, WireError};
use bytes::Bytes;
use cumulet_gateway::{BodyFailure, Handler, Incoming, Rejection, RequestBody};
use cumulet_spec::id::{AppName, ComponentName, InvocationId, RequestId};
use cumulet_spec::invocation::{HeadContext, InvocationHead, Trigger};
use cumulet_spec::outcome::Outcome;
use http_body::{Body, SizeHint};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

/// Whose invocations a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The app.
    pub app: AppName,
    /// The component that answers.
    pub component: ComponentName,
}

/// Sends each request by a stream of its own to [`serve`](super::serve) and gives back what comes.
///
/// The response's body streams. A call or a body that is dropped cancels the guest on the other side. Each invocation
/// has one task, which ends with it: at the latest when the response's body is gone.
#[derive(Clone, Debug)]
pub struct Client<C> {
    connect: C,
    place: Arc<Place>,
    next: Arc<AtomicU64>,
}

/// The body of a response that comes from another process.
#[derive(Debug)]
pub struct ResponseBody {
    receiver: mpsc::Receiver<Item<BodyFailure>>,
    bytes_left: Option<u64>,
    /// Dropped with the body: nobody waits any more.
    _wanted: oneshot::Sender<Infallible>,
}

impl<C> Client<C> {
    /// A client that opens streams with `connect`, for the invocations of one component.
    #[must_use]
    pub fn new(place: Place, connect: C) -> Self {
        Self { connect, place: Arc::new(place), next: Arc::default() }
    }

    fn head<B>(&self, id: RequestId, request: &http::Request<B>) -> Box<InvocationHead> {
        let context = HeadContext {
            id: InvocationId(self.next.fetch_add(1, Ordering::Relaxed)),
            request: id,
            app: self.place.app.clone(),
            component: self.place.component.clone(),
            trigger: Trigger::Http,
        };
        Box::new(InvocationHead::from_request(context, request))
    }
}

impl<C, F, S> Handler for Client<C>
where
    C: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = io::Result<S>> + Send,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Body = ResponseBody;

    async fn handle(&self, incoming: Incoming) -> Result<http::Response<ResponseBody>, Rejection> {
        let Incoming { id, request, .. } = incoming;
        let stream = (self.connect)().await.map_err(|error| {
            tracing::warn!(request = %id, %error, "no stream to the process that runs guests");
            Rejection::from(Outcome::HostError)
        })?;
        let head = self.head(id, &request);
        let (wanted, unwanted) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let call = Call { link: Link::new(stream), answer, unwanted };
        // It ends with the invocation, and is told through `wanted` when nobody waits.
        drop(tokio::spawn(async move {
            if let Err(error) = call.run(head, request.into_body()).await {
                tracing::warn!(request = %id, %error, "an invocation was lost between processes");
            }
        }));
        match answered.await {
            Ok(Ok((head, receiver))) => {
                let body = ResponseBody { receiver, bytes_left: head.body_bytes, _wanted: wanted };
                head.to_response(body).map_err(|_invalid| Outcome::HostError.into())
            }
            Ok(Err(rejection)) => Err(rejection),
            Err(_lost) => Err(Outcome::HostError.into()),
        }
    }
}

type Answer = Result<(ResponseHead, mpsc::Receiver<Item<BodyFailure>>), Rejection>;

/// An invocation under way.
struct Call<S> {
    link: (Link<S, RequestBody, BodyFailure>, mpsc::Receiver<Item<BodyFailure>>),
    answer: oneshot::Sender<Answer>,
    unwanted: oneshot::Receiver<Infallible>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Call<S> {
    async fn run(self, head: Box<InvocationHead>, body: RequestBody) -> Result<(), WireError> {
        let Self { link: (mut link, receiver), answer, mut unwanted } = self;
        link.push(&Frame::Invocation(head))?;
        link.send(body);
        let mut answering = Some((answer, receiver));
        let ending = loop {
            let step = tokio::select! {
                biased;
                _dropped = &mut unwanted => return cancel(link).await,
                step = link.step() => step?,
            };
            match step {
                Step::Sent(Ok(())) => link.push(&Frame::End)?,
                Step::Sent(Err(error)) => link.push(&Frame::Failure(error.kind()))?,
                Step::Frame(Frame::Response(head)) => {
                    let (answer, receiver) = answering.take().ok_or(WireError::Unexpected("response"))?;
                    link.arriving().open();
                    // Nobody there to take it is seen by `unwanted`.
                    drop(answer.send(Ok((head, receiver))));
                }
                Step::Frame(Frame::End) => {}
                Step::Frame(Frame::Outcome(ending)) => break ending,
                Step::Frame(frame) => return Err(WireError::Unexpected(frame.kind().label())),
            }
        };
        if let Some((answer, _receiver)) = answering {
            drop(answer.send(Err(ending.into())));
            return Ok(());
        }
        deliver_rest(link, ending, &mut unwanted).await
    }
}

/// The invocation is over: closes the stream, and waits only for the reader of what came.
async fn deliver_rest<S: AsyncRead + AsyncWrite + Unpin>(
    mut link: Link<S, RequestBody, BodyFailure>,
    ending: Ending,
    unwanted: &mut oneshot::Receiver<Infallible>,
) -> Result<(), WireError> {
    match ending.outcome {
        Outcome::Ok if link.arriving().has_ended() => link.arriving().finish(),
        Outcome::Ok => return Err(WireError::Unexpected("outcome")),
        outcome => link.arriving().fail(BodyFailure { outcome }),
    }
    let mut arriving = link.close();
    tokio::select! {
        () = poll_fn(|context| arriving.poll_deliver(context)) => {}
        _dropped = unwanted => {}
    }
    Ok(())
}

/// Tells the other side that nobody waits. Closing the stream says the same, so that this may fail.
async fn cancel<S: AsyncRead + AsyncWrite + Unpin>(
    mut link: Link<S, RequestBody, BodyFailure>,
) -> Result<(), WireError> {
    link.push(&Frame::Cancel)?;
    if let Ok(Err(error)) = tokio::time::timeout(CLOSE_TIME_MAX, link.flush()).await {
        tracing::debug!(%error, "a cancel was not sent");
    }
    Ok(())
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item<BodyFailure>>> {
        let frame = std::task::ready!(self.receiver.poll_recv(context));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(http_body::Frame::data_ref) {
            let length = data.len() as u64;
            self.bytes_left = self.bytes_left.map(|left| left.saturating_sub(length));
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.bytes_left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
