//! One outbound request, from the check of its grant to the first byte of its response.

use super::guard::NotGlobal;
use super::{Outbound, RequestBody};
use bytes::Bytes;
use http_body::Body as _;
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
    let (request, question) = if grant.cache {
        let request = settle_body(request).await?;
        let question = outbound.cache.question(&request);
        (request, question)
    } else {
        (request, None)
    };
    // RFC 9111, section 4.4: what is kept is no longer true once a request has changed it.
    let changes = (grant.cache && !request.method().is_safe()).then(|| request.uri().clone());
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
    if let Some(uri) = changes
        && !response.status().is_client_error()
        && !response.status().is_server_error()
    {
        outbound.cache.forget(&uri);
    }
    let response = response.map(|body| Counted { body, _permit: permit }.boxed_unsync());
    let response = match question {
        Some(question) => outbound.cache.keep(question, response).await?,
        None => response,
    };
    Ok(finished(response))
}

/// Finds out whether a `GET` has a body at all: guests send first and finish the
/// body after that, so that it only turns out to be empty once they do.
async fn settle_body(request: http::Request<RequestBody>) -> Result<http::Request<RequestBody>, Error> {
    if request.method() != http::Method::GET || request.body().is_end_stream() {
        return Ok(request);
    }
    let (head, mut body) = request.into_parts();
    let body = match body.frame().await.transpose()? {
        None => http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync(),
        Some(frame) => {
            let first = futures_util::stream::iter([Ok(frame)]);
            let all = futures_util::StreamExt::chain(first, http_body_util::BodyStream::new(body));
            http_body_util::StreamBody::new(all).boxed_unsync()
        }
    };
    Ok(http::Request::from_parts(head, body))
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

#[cfg(test)]
mod tests {
    use super::*;
    use cumulet_spec::grant::{Grants, HttpGrant, HttpOrigin};
    use http_body_util::{Empty, Full};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server that answers each connection's one request with `cache_control`, and counts them.
    async fn server(cache_control: &'static str) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&served);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                counter.fetch_add(1, Ordering::SeqCst);
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncache-control: {cache_control}\r\ncontent-length: 4\r\nconnection: close\r\n\r\nkeys"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (origin, served)
    }

    fn outbound(origin: &str, cache: bool) -> Arc<Outbound> {
        let grant = HttpGrant { origin: HttpOrigin::parse(origin).unwrap(), cache };
        Arc::new(Outbound::new(Grants { http: vec![grant], ..Grants::default() }))
    }

    fn request(uri: &str, authorization: Option<&str>) -> http::Request<RequestBody> {
        // A body that is finished only after it was sent, as guests make them.
        let body = http_body_util::StreamBody::new(futures_util::stream::empty()).boxed_unsync();
        let mut request = http::Request::new(body);
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(value) = authorization {
            request.headers_mut().insert(http::header::AUTHORIZATION, value.parse().unwrap());
        }
        request
    }

    async fn text(outbound: &Arc<Outbound>, request: http::Request<RequestBody>) -> String {
        let (response, _done) = send(Arc::clone(outbound), request, RequestOptions::default()).await.unwrap();
        let body = response.into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_may_be_kept_is_fetched_once() {
        let cases = [
            ("kept", "max-age=60", true, None, 1),
            ("not granted", "max-age=60", false, None, 3),
            ("not allowed by the server", "no-store", true, None, 3),
            ("personal", "max-age=60", true, Some("Bearer a"), 3),
        ];
        for (name, cache_control, cache, authorization, fetches) in cases {
            let (origin, served) = server(cache_control).await;
            let outbound = outbound(&origin, cache);
            for _ in 0..3 {
                assert_eq!(text(&outbound, request(&format!("{origin}/keys"), authorization)).await, "keys", "{name}");
            }
            assert_eq!(served.load(Ordering::SeqCst), fetches, "{name}");
        }
    }

    #[tokio::test]
    async fn what_a_request_may_have_changed_is_fetched_anew() {
        let (origin, served) = server("max-age=60").await;
        let outbound = outbound(&origin, true);
        let uri = format!("{origin}/keys");
        for (method, fetches) in [("GET", 1), ("GET", 1), ("POST", 2), ("GET", 3), ("GET", 3)] {
            let mut request = request(&uri, None);
            *request.method_mut() = method.parse().unwrap();
            assert_eq!(text(&outbound, request).await, "keys", "{method}");
            assert_eq!(served.load(Ordering::SeqCst), fetches, "{method}");
        }
    }

    #[tokio::test]
    async fn a_get_with_a_body_is_sent_with_it() {
        let mut request = request("http://127.0.0.1:1/", None);
        *request.body_mut() = Full::new(Bytes::from_static(b"asked")).map_err(|never| match never {}).boxed_unsync();
        let settled = settle_body(request).await.unwrap();
        assert_eq!(settled.into_body().collect().await.unwrap().to_bytes(), "asked");
    }

    #[tokio::test]
    async fn what_is_not_granted_is_not_sent() {
        let (origin, served) = server("no-store").await;
        let outbound = outbound("http://127.0.0.1:9", false);
        let empty =
            http::Request::get(format!("{origin}/")).body(Empty::new().map_err(|never| match never {}).boxed_unsync());
        let refused = send(outbound, empty.unwrap(), RequestOptions::default()).await.err();
        assert!(matches!(refused, Some(Error::HttpRequestDenied)), "{refused:?}");
        assert_eq!(served.load(Ordering::SeqCst), 0);
    }
}
