//! Bounds: of requests, connections, bytes and time.

use super::*;
use crate::outbound::connect::{ConnectFault, Connector};
use http_body_util::Full;
use std::time::Duration;
use tower_service::Service as _;

/// Long enough to be sure that something was tried, short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn an_invocation_may_make_so_many_requests() {
    let server = Server::plain().await;
    let mut hooks = Hooks::new(outbound(&[&server.origin()]), None, Arc::new(cumulet_engine::Gauge::new(0, 0)));
    assert_eq!(hooks.requests_left, REQUESTS_PER_INVOCATION_MAX);
    hooks.requests_left = 2;
    let mut found = Vec::new();
    for _ in 0..3 {
        let sent = hooks.send_request(get(&server.origin()), None, Box::new(std::future::ready(Ok(()))));
        found.push(Box::into_pin(sent).await.map(|_sent| ()).map_err(|error| kind(&error)));
    }
    assert_eq!(found, [Ok(()), Ok(()), Err("HttpRequestDenied".to_owned())]);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn so_many_requests_of_a_component_are_under_way_at_once() {
    let server = Server::plain().await;
    let outbound = outbound_bounded(&[&server.origin()], Bounds { requests: 1, ..Bounds::default() });
    let first = try_send(&outbound, get(&server.origin())).await.unwrap();
    assert_eq!(refusal(&outbound, get(&server.origin())).await, "ConnectionLimitReached");
    drop(first);
    assert_eq!(text(&outbound, get(&server.origin())).await.unwrap(), "keys");
}

#[tokio::test]
async fn so_many_connections_of_a_component_are_open_at_once() {
    // It never ends its answer, so that a connection stays in use.
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nkeys").await;
    let bounds = Bounds { connections: 2, connect: SHORT, ..Bounds::default() };
    let outbound = outbound_bounded(&[&server.origin()], bounds);
    let first = try_send(&outbound, get(&server.origin())).await.unwrap();
    let second = try_send(&outbound, get(&server.origin())).await.unwrap();
    let third = refusal(&outbound, get(&server.origin())).await;
    assert!(["ConnectionLimitReached", "ConnectionTimeout"].contains(&third.as_str()), "{third}");
    assert_eq!(server.connections(), 2);
    drop((first, second));
    try_send(&outbound, get(&server.origin())).await.unwrap();
}

#[tokio::test]
async fn idle_connections_give_way_to_new_ones() {
    let kept_open = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nkeys";
    let bounds = Bounds { requests: 1, connections: 2, ..Bounds::default() };
    let (mut servers, mut origins) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        let server = Server::answering(kept_open).await;
        origins.push(server.origin());
        servers.push(server);
    }
    let outbound = outbound_bounded(&origins.iter().map(String::as_str).collect::<Vec<_>>(), bounds);
    for origin in &origins {
        assert_eq!(text(&outbound, get(origin)).await.unwrap(), "keys", "{origin}");
    }
}

#[tokio::test]
async fn bodies_of_responses_are_bounded() {
    let bounds = Bounds { body_bytes: 4, ..Bounds::default() };
    for (answer, expect) in [
        ("content-length: 4\r\n\r\nkeys", "answered with \"keys\""),
        ("content-length: 5\r\n\r\nkeys!", "HttpResponseBodySize"),
        ("transfer-encoding: chunked\r\n\r\n2\r\nke\r\n2\r\nys\r\n0\r\n\r\n", "answered with \"keys\""),
        ("transfer-encoding: chunked\r\n\r\n2\r\nke\r\n3\r\nys!\r\n0\r\n\r\n", "HttpResponseBodySize"),
        ("connection: close\r\n\r\nkeys!", "HttpResponseBodySize"),
    ] {
        let server = Server::answering(format!("HTTP/1.1 200 OK\r\n{answer}")).await;
        let outbound = outbound_bounded(&[&server.origin()], bounds);
        assert_eq!(refusal(&outbound, get(&server.origin())).await, expect, "{answer}");
    }
}

#[tokio::test]
async fn bodies_of_requests_are_bounded() {
    let server = Server::silent().await;
    let outbound = outbound_bounded(&[&server.origin()], Bounds { body_bytes: 4, ..Bounds::default() });
    let whole = Full::new(Bytes::from_static(b"keys!")).map_err(|never| match never {}).boxed_unsync();
    let parts = ["ke", "ys!"].map(|part| Ok(http_body::Frame::data(Bytes::from_static(part.as_bytes()))));
    let streamed = StreamBody::new(futures_util::stream::iter(parts)).boxed_unsync();
    for body in [whole, streamed] {
        let mut request = get(&server.origin()).map(|_empty| body);
        *request.method_mut() = http::Method::POST;
        assert_eq!(refusal(&outbound, request).await, "HttpRequestBodySize");
    }
}

#[tokio::test]
async fn heads_of_responses_are_bounded() {
    let long = format!("x-long: {}\r\n", "a".repeat(bounds::HEAD_BYTES_MAX as usize));
    let many: String = (0..=bounds::HEAD_FIELDS_MAX).map(|number| format!("x-{number}: a\r\n")).collect();
    for fields in [long, many] {
        let server = Server::answering(format!("HTTP/1.1 200 OK\r\n{fields}content-length: 0\r\n\r\n")).await;
        let outbound = outbound(&[&server.origin()]);
        assert_eq!(refusal(&outbound, get(&server.origin())).await, "HttpResponseHeaderSectionSize");
    }
}

/// A server that stops at some point, what the guest asks for, our own bound, and what it comes to.
#[tokio::test]
async fn waiting_is_bounded_by_the_guest_and_by_us() {
    let long = Duration::from_secs(3600);
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nkeys";
    let guest = |connect, first_byte, between_bytes| RequestOptions {
        connect_timeout: Some(connect),
        first_byte_timeout: Some(first_byte),
        between_bytes_timeout: Some(between_bytes),
    };
    let ours = |connect, first_byte, between_bytes| Bounds { connect, first_byte, between_bytes, ..Bounds::default() };
    for (scheme, answer, options, bounds, expect) in [
        // The server does not answer the greeting of TLS.
        ("https", "", guest(SHORT, long, long), Bounds::default(), "ConnectionTimeout"),
        ("https", "", guest(long, long, long), ours(SHORT, long, long), "ConnectionTimeout"),
        ("http", "", guest(long, SHORT, long), Bounds::default(), "HttpResponseTimeout"),
        ("http", "", guest(long, long, long), ours(long, SHORT, long), "HttpResponseTimeout"),
        ("http", begun, guest(long, long, SHORT), Bounds::default(), "ConnectionReadTimeout"),
        ("http", begun, guest(long, long, long), ours(long, long, SHORT), "ConnectionReadTimeout"),
    ] {
        let server = Server::answering(answer).await;
        let origin = server.origin().replace("http", scheme);
        let sent = send(outbound_bounded(&[&origin], bounds), None, get(&origin), options).await;
        let end = match sent {
            Ok((response, _done)) => response.into_body().collect().await.map(|_body| ()),
            Err(error) => Err(error),
        };
        assert_eq!(end.map_err(|error| kind(&error)), Err(expect.to_owned()), "{options:?} {bounds:?}");
    }
}

/// A pool finishes in the background what a request has stopped waiting for.
#[tokio::test]
async fn a_handshake_that_nobody_waits_for_ends() {
    let server = Server::silent().await;
    let bounds = Bounds { connect: SHORT, ..Bounds::default() };
    let resolver = GuardedResolver::new(&[], Names::all("127.0.0.1"), bounds.lookup);
    let mut connector = Connector::new(pool::tls(&[]).unwrap(), resolver, &bounds);
    let uri = server.origin().replace("http", "https").parse().unwrap();
    let error = connector.call(uri).await.err().unwrap();
    assert!(matches!(error.downcast_ref(), Some(ConnectFault::Late)), "{error}");
    assert_eq!((server.connections(), connector.free()), (1, bounds.connections));
}
