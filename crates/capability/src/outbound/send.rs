//! One outbound request, from the check of its grant to the first byte of its response.

use super::body::{bound_head, bound_request, bound_response};
use super::bounds::Bounds;
use super::place::{self, Place, Side};
use super::{Inside, InsideError, Outbound, RequestBody, ResponseBody};
use cumulet_spec::grant::Capability;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, RequestOptions};

/// A response, and a future that stands for the rest of the exchange: it is done at once, because the pool drives its
/// connections itself.
pub(super) type Sent = (http::Response<ResponseBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

/// Sends a request on behalf of a guest.
///
/// # Cancel safety
/// Dropping the future closes the connection, or resets the stream, of a request under way.
pub(super) async fn send(
    outbound: Arc<Outbound>,
    inside: Option<Arc<dyn Inside>>,
    request: http::Request<RequestBody>,
    options: RequestOptions,
) -> Result<Sent, Error> {
    let (place, request) = place::settle(request)?;
    let origin = place.origin();
    let grant = outbound.grants.http_to(origin.scheme, place.host(), origin.port);
    if let Some(witness) = &outbound.options.witness {
        let entry = grant.map_or(origin, |grant| &grant.origin).to_string();
        witness.note(Capability::Http, &entry, grant.is_some());
    }
    let Some(grant) = grant else { return Err(Error::HttpRequestDenied) };
    let permit =
        Arc::clone(&outbound.permits).try_acquire_owned().map_err(|_closed_or_full| Error::ConnectionLimitReached)?;
    let bounds = outbound.bounds.with(options);
    let answer = async {
        match grant.cache {
            true => answer_kept(&outbound, (&place, inside), request, (bounds, permit)).await,
            false => fetch(&outbound, (&place, inside), request, (bounds, permit)).await,
        }
    };
    let response = tokio::time::timeout(bounds.first_byte, answer).await;
    let response = response.map_err(|_elapsed| Error::HttpResponseTimeout)??;
    Ok((response, Box::new(std::future::ready(Ok(())))))
}

/// Where a request goes, and who answers if that is a component of the app.
type To<'a> = (&'a Place, Option<Arc<dyn Inside>>);

/// What a request may use, and its place among the requests under way.
type Allowance = (Bounds, OwnedSemaphorePermit);

/// Answers from the cache if it can, and keeps what comes back if it may.
async fn answer_kept(
    outbound: &Outbound,
    to: To<'_>,
    request: http::Request<RequestBody>,
    allowance: Allowance,
) -> Result<http::Response<ResponseBody>, Error> {
    let request = settle_body(request).await?;
    let cache = &outbound.cache;
    if let Some(question) = cache.question(&request) {
        if let Some(response) = cache.find(&question) {
            return Ok(response);
        }
        let response = fetch(outbound, to, request, allowance).await?;
        return Ok(cache.keep(question, response));
    }
    // RFC 9111, section 4.4: what is kept is no longer true once a request has changed it.
    let changes = (!request.method().is_safe()).then(|| request.uri().clone());
    let response = fetch(outbound, to, request, allowance).await?;
    if let Some(uri) = changes
        && !response.status().is_client_error()
        && !response.status().is_server_error()
    {
        cache.forget(&uri);
    }
    Ok(response)
}

/// Gets an answer from where the request goes.
async fn fetch(
    outbound: &Outbound,
    (place, inside): To<'_>,
    request: http::Request<RequestBody>,
    (bounds, permit): Allowance,
) -> Result<http::Response<ResponseBody>, Error> {
    let (head, body) = request.into_parts();
    let body = bound_request(body, bounds.body_bytes)?;
    let request = http::Request::from_parts(head, body);
    match (place.side(), inside) {
        (Side::Outside, _) => {
            let response = outbound.pool().await?.request(request, bounds.connect).await?;
            bound_parts(response, &bounds, permit)
        }
        (Side::Component(name), Some(inside)) => {
            let response = inside.call(name, request).await?;
            bound_parts(response.map(|body| body.map_err(Error::from)), &bounds, permit)
        }
        (Side::Component(_) | Side::Nobody, _) => Err(InsideError::Unknown.into()),
    }
}

fn bound_parts<B>(
    response: http::Response<B>,
    bounds: &Bounds,
    permit: OwnedSemaphorePermit,
) -> Result<http::Response<ResponseBody>, Error>
where
    B: http_body::Body<Data = bytes::Bytes, Error: Into<Error>> + Send + 'static,
{
    let (head, body) = response.into_parts();
    bound_head(&head.headers)?;
    let body = bound_response(body, bounds.body_bytes, bounds.between_bytes, permit)?;
    Ok(http::Response::from_parts(head, body))
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::Full;

    #[tokio::test]
    async fn a_get_with_a_body_is_sent_with_it() {
        let mut request = http::Request::new(());
        *request.uri_mut() = "http://127.0.0.1:1/".parse().unwrap();
        let body = Full::new(Bytes::from_static(b"asked")).map_err(|never| match never {}).boxed_unsync();
        let settled = settle_body(request.map(|()| body)).await.unwrap();
        assert_eq!(settled.into_body().collect().await.unwrap().to_bytes(), "asked");
    }
}
