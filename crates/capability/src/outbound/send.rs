//! One outbound request, from the check of its grant to the first byte of its response.

use super::guard::NotGlobal;
use super::{Outbound, RequestBody};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_util::client::legacy;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, RequestOptions};

/// The longest wait for the head of a response.
const FIRST_BYTE_TIME_MAX: Duration = Duration::from_secs(60);

type ResponseBody = UnsyncBoxBody<Bytes, Error>;

/// A response, and a future that stands for the rest of the exchange: it is done at once, because the pool drives its
/// connections itself.
pub(super) type Sent = (http::Response<ResponseBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

/// Sends a request on behalf of a guest.
///
/// # Cancel safety
/// Dropping the future closes the connection, or resets the stream, of a request under way.
pub(super) async fn send(
    outbound: Arc<Outbound>,
    request: http::Request<RequestBody>,
    options: RequestOptions,
) -> Result<Sent, Error> {
    let Some(grant) = outbound.grant(request.uri()) else {
        return Err(Error::HttpRequestDenied);
    };
    let permit =
        Arc::clone(&outbound.permits).try_acquire_owned().map_err(|_closed_or_full| Error::ConnectionLimitReached)?;
    let question = if grant.cache { outbound.cache.question(&request) } else { None };
    if let Some(question) = &question
        && let Some(response) = outbound.cache.find(question)
    {
        return Ok(finished(response));
    }
    let wait = options.first_byte_timeout.unwrap_or(FIRST_BYTE_TIME_MAX).min(FIRST_BYTE_TIME_MAX);
    let response = tokio::time::timeout(wait, outbound.client()?.request(request))
        .await
        .map_err(|_elapsed| Error::HttpResponseTimeout)?
        .map_err(|error| read_error(&error))?;
    let response = response.map(|body| Counted { body, _permit: permit }.boxed_unsync());
    let response = match question {
        Some(question) => outbound.cache.keep(question, response).await?,
        None => response,
    };
    Ok(finished(response))
}

fn finished(response: http::Response<ResponseBody>) -> Sent {
    (response, Box::new(std::future::ready(Ok(()))))
}

/// Translates what the client says into what `wasi:http` lets a guest see.
fn read_error(error: &legacy::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            if io.get_ref().is_some_and(|inner| inner.is::<NotGlobal>()) {
                return Error::DestinationIpProhibited;
            }
            if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                return Error::TlsCertificateError;
            }
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused => return Error::ConnectionRefused,
                std::io::ErrorKind::TimedOut => return Error::ConnectionTimeout,
                std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => {
                    return Error::ConnectionTerminated;
                }
                _ => {}
            }
        }
        if let Some(hyper) = current.downcast_ref::<hyper::Error>() {
            return if hyper.is_incomplete_message() {
                Error::HttpResponseIncomplete
            } else {
                Error::HttpProtocolError
            };
        }
        cause = current.source();
    }
    if error.is_connect() {
        return Error::DnsError { rcode: Some("the name does not resolve".into()), info_code: None };
    }
    Error::HttpProtocolError
}

pin_project_lite::pin_project! {
    /// A response body that counts as a request under way until it is gone.
    struct Counted<B> {
        #[pin]
        body: B,
        _permit: OwnedSemaphorePermit,
    }
}

impl http_body::Body for Counted<hyper::body::Incoming> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        self.project().body.poll_frame(context).map_err(Error::Hyper)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
