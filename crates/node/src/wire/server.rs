//! The side that has the guests: reads an invocation and calls a handler with it.

use super::CLOSE_TIME_MAX;
use super::frame::{Frame, Kind};
use super::head::{Ending, ResponseHead};
use super::link::{Link, Step, WireError};
use cumulet_gateway::{BodyFailure, Handler, Incoming, Rejection, RequestBody, RequestBodyError};
use cumulet_spec::outcome::Outcome;
use http_body::Body;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// What a handler is told instead of the client's address, which does not cross.
const NO_PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// The gateway on the other side holds the limit on request bodies, and its failure crosses.
const BODY_BYTES_MAX: u64 = u64::MAX;

/// Whether somebody waits for the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Waits,
    Gone,
}

/// Serves the one invocation that comes by `stream`, with what `handler` answers.
///
/// A stream that ends before the invocation does, or a cancel, drops the handler's future or its response body: that
/// ends the guest. A guest that goes on after its response finds its request body broken off, as soon as the other
/// side has closed.
///
/// # Errors
/// When the stream fails or ends early, or the other side does not keep to the protocol; the stream is closed then,
/// and the handler's future or body dropped. A cancel is no error.
///
/// # Cancel safety
/// Dropped before its end, it cancels the invocation and closes the stream.
pub async fn serve<S, H>(stream: S, handler: &H) -> Result<(), WireError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: Handler,
{
    let (mut link, receiver) = Link::<S, H::Body, RequestBodyError>::new(stream);
    let head = match link.step().await? {
        Step::Frame(Frame::Invocation(head)) => head,
        Step::Frame(frame) => return Err(WireError::Unexpected(frame.kind().label())),
        Step::Sent(_) => return Err(WireError::Unexpected(Kind::End.label())),
    };
    link.arriving().open();
    let request = head.to_request(RequestBody::from_chunks(receiver, BODY_BYTES_MAX))?;
    let incoming = Incoming { id: head.request, request, peer: NO_PEER };
    let Some(answer) = handle(&mut link, handler, incoming).await? else { return Ok(()) };
    let ending = match answer {
        Err(rejection) => Some(rejection.into()),
        Ok(response) => respond(&mut link, response).await?,
    };
    let Some(ending) = ending else { return Ok(()) };
    link.push(&Frame::Outcome(ending))?;
    // Closed at once, a stream may lose what the other side has not read yet.
    match tokio::time::timeout(CLOSE_TIME_MAX, wait_for_close(&mut link)).await {
        Ok(closed) => closed,
        Err(_elapsed) => Err(WireError::Closed),
    }
}

/// Waits for the handler while the request comes in; nothing when the client went away.
async fn handle<S, H>(
    link: &mut Link<S, H::Body, RequestBodyError>,
    handler: &H,
    incoming: Incoming,
) -> Result<Option<Result<http::Response<H::Body>, Rejection>>, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: Handler,
{
    let mut handling = pin!(handler.handle(incoming));
    loop {
        tokio::select! {
            biased;
            step = link.step() => if took(link, step?)? == Client::Gone {
                return Ok(None);
            },
            answer = &mut handling => return Ok(Some(answer)),
        }
    }
}

/// Sends a response; nothing when the client went away.
async fn respond<S, B>(
    link: &mut Link<S, B, RequestBodyError>,
    response: http::Response<B>,
) -> Result<Option<Ending>, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    B: Body<Data = bytes::Bytes, Error = BodyFailure>,
{
    link.push(&Frame::Response(ResponseHead::of(&response)))?;
    link.send(response.into_body());
    loop {
        match link.step().await? {
            Step::Sent(Ok(())) => {
                link.push(&Frame::End)?;
                return Ok(Some(Outcome::Ok.into()));
            }
            Step::Sent(Err(failure)) => return Ok(Some(failure.outcome.into())),
            step @ Step::Frame(_) => {
                if took(link, step)? == Client::Gone {
                    return Ok(None);
                }
            }
        }
    }
}

async fn wait_for_close<S, B>(link: &mut Link<S, B, RequestBodyError>) -> Result<(), WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    B: Body<Data = bytes::Bytes, Error = BodyFailure>,
{
    loop {
        match link.step().await {
            // A client that has what it waits for closes whatever else is under way.
            Err(WireError::Closed | WireError::Stream(_)) => return Ok(()),
            step => {
                if took(link, step?)? == Client::Gone {
                    return Ok(());
                }
            }
        }
    }
}

/// Takes what a client may send after the head.
fn took<S, B>(link: &mut Link<S, B, RequestBodyError>, step: Step<BodyFailure>) -> Result<Client, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    B: Body<Data = bytes::Bytes, Error = BodyFailure>,
{
    match step {
        Step::Frame(Frame::End) => link.arriving().finish(),
        Step::Frame(Frame::Failure(kind)) => {
            link.arriving().end()?;
            link.arriving().fail(kind.into());
        }
        Step::Frame(Frame::Cancel) => return Ok(Client::Gone),
        Step::Frame(frame) => return Err(WireError::Unexpected(frame.kind().label())),
        Step::Sent(_) => {}
    }
    Ok(Client::Waits)
}
