//! Well-formed exchanges: bodies and trailers both ways, ids, clean heads, HEAD, `expect`.

use std::convert::Infallible;

use bytes::Bytes;
use cumulet_gateway::GatewayConfig;
use http::{HeaderMap, HeaderValue, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::wire::{Sent, field, http2, read_to_end, read_until, statuses, talk};
use crate::{Server, soon};

async fn get(address: std::net::SocketAddr, path: &str, fields: &str) -> String {
    talk(address, format!("GET {path} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n{fields}\r\n").as_bytes())
        .await
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

fn nothing() -> Sent {
    Empty::new().boxed_unsync()
}

fn chunks_and_trailers() -> Sent {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("42"));
    let frames =
        [Frame::data(Bytes::from_static(b"one,")), Frame::data(Bytes::from_static(b"two")), Frame::trailers(trailers)];
    StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, Infallible>))).boxed_unsync()
}

#[tokio::test]
async fn the_handler_sees_a_clean_head() {
    let server = Server::start(GatewayConfig::default());
    let sent = "GET http://a.example:80/x?y=%2F HTTP/1.1\r\nhost: b.example\r\nconnection: close, x-private\r\n\
                x-private: 1\r\nkeep-alive: timeout=5\r\nte: trailers\r\nupgrade: websocket\r\n\
                proxy-connection: keep-alive\r\nhttp2-settings: AA\r\nx-kept: 1\r\nx-request-id: abc\r\n\r\n";
    let answer = talk(server.address, sent.as_bytes()).await;
    assert_eq!(
        body_of(&answer),
        "GET http://a.example:80/x?y=%2F for Some(\"a.example:80\")\nhost: a.example:80\nx-kept: 1\nx-request-id: abc\nid abc"
    );
}

#[tokio::test]
async fn connection_cannot_name_what_the_message_needs() {
    let server = Server::start(GatewayConfig::default());
    let answer = get(server.address, "/", "connection: host, x\r\nx: 1\r\n").await;
    assert!(body_of(&answer).starts_with("GET / for Some(\"a.example\")\nhost: a.example\nid "), "{answer}");
}

#[tokio::test]
async fn a_response_lets_nothing_of_its_own_connection_out() {
    let server = Server::start(GatewayConfig::default());
    // Each pair: what the guest claims as length, what leaves.
    for (claimed, leaves) in [
        ("", Some("5")),
        ("x-length: 5\r\n", Some("5")),
        ("x-length: 3\r\n", Some("5")),
        ("x-length: 9000\r\n", Some("5")),
        ("x-length: five\r\n", Some("5")),
        ("x-length: 5\r\nx-length: 5\r\n", Some("5")),
        ("x-length: 5\r\nx-length: 6\r\n", Some("5")),
    ] {
        let answer = get(server.address, "/lies", &format!("{claimed}x-request-id: mine\r\n")).await;
        assert_eq!(field(&answer, "content-length"), leaves, "{claimed:?}: {answer}");
        assert_eq!(body_of(&answer), "hello", "{claimed:?}");
        assert_eq!(field(&answer, "connection"), Some("close"));
        assert_eq!(field(&answer, "x-request-id"), Some("mine"));
        assert_eq!(field(&answer, "x-kept"), Some("yes"));
        for hidden in ["keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "te"] {
            assert_eq!(field(&answer, hidden), None, "{answer}");
        }
    }
}

#[tokio::test]
async fn every_response_carries_an_id() {
    let server = Server::start(GatewayConfig::default());
    for (sent, kept) in
        [("req-1.2_3", true), ("a b", false), ("\u{e9}", false), (&"x".repeat(64), true), (&"x".repeat(65), false)]
    {
        let answer = get(server.address, "/", &format!("x-request-id: {sent}\r\n")).await;
        let id = field(&answer, "x-request-id").unwrap();
        assert_eq!(id == sent, kept, "{sent:?} gave {id:?}");
        assert!(kept || (id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())), "{id:?}");
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all("GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(2).as_bytes()).await.unwrap();
    stream.write_all(b"GET /reject/no-route HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let answers = read_to_end(&mut stream).await;
    let mut ids: Vec<&str> = answers.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert_eq!(ids.len(), 3, "{answers}");
    ids.dedup();
    assert_eq!(ids.len(), 3, "an id came twice: {answers}");
}

#[tokio::test]
async fn bodies_and_trailers_go_both_ways_over_http_1() {
    let server = Server::start(GatewayConfig::default());
    let sent = "POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\nte: trailers\r\ntransfer-encoding: chunked\r\n\
                trailer: x-sum\r\n\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\nx-sum: 42\r\n\r\n";
    let answer = talk(server.address, sent.as_bytes()).await;
    let body = body_of(&answer);
    assert_eq!(
        body.split("\r\n").filter(|line| matches!(*line, "one," | "two" | "one,two")).collect::<String>(),
        "one,two"
    );
    assert!(body.ends_with("0\r\nx-sum: 42\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn bodies_and_trailers_go_both_ways_over_http_2() {
    let server = Server::start(GatewayConfig::default());
    let mut client = http2(server.address).await;
    let request = Request::post("http://a.example/echo").body(chunks_and_trailers()).unwrap();
    let response = soon(client.send_request(request)).await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    let collected = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-sum"], "42");
    assert_eq!(collected.to_bytes(), "one,two");
}

#[tokio::test]
async fn streams_of_one_http_2_connection_do_not_wait_for_each_other() {
    let server = Server::start(GatewayConfig::default());
    let mut client = http2(server.address).await;
    let gated = tokio::spawn(client.send_request(Request::get("http://a/gate").body(nothing()).unwrap()));
    soon(server.guest.event()).await;
    let overtaking = client.send_request(Request::get("http://a/").body(nothing()).unwrap());
    assert_eq!(soon(overtaking).await.unwrap().status(), 200);
    server.guest.gate.add_permits(1);
    assert_eq!(soon(gated).await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn http_2_names_the_authority_and_a_second_host_is_refused() {
    let server = Server::start(GatewayConfig::default());
    let mut client = http2(server.address).await;
    for (host, status) in [(None, 200), (Some("a.example"), 200), (Some("b.example"), 400)] {
        let mut request = Request::get("http://a.example/").body(nothing()).unwrap();
        if let Some(host) = host {
            request.headers_mut().insert("host", HeaderValue::from_static(host));
        }
        let response = soon(client.send_request(request)).await.unwrap();
        assert_eq!(response.status(), status, "{host:?}");
        let body = soon(response.into_body().collect()).await.unwrap().to_bytes();
        assert_eq!(status == 200, String::from_utf8_lossy(&body).contains("for Some(\"a.example\")"));
    }
}

#[tokio::test]
async fn a_body_is_counted() {
    let server = Server::start(GatewayConfig::default());
    let sent = b"POST /count HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    assert_eq!(body_of(&talk(server.address, sent).await), "5 5 false");
    assert_eq!(body_of(&get(server.address, "/count", "").await), "0 0 false");
}

#[tokio::test]
async fn head_gets_the_head_alone() {
    let server = Server::start(GatewayConfig::default());
    for (path, status) in [("/lies", 200), ("/reject/no-route", 404)] {
        let sent = format!("HEAD {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let answer = talk(server.address, sent.as_bytes()).await;
        assert_eq!(statuses(&answer), [status]);
        assert!(field(&answer, "content-length").is_some(), "{answer}");
        assert_eq!(body_of(&answer), "");
    }
}

#[tokio::test]
async fn continue_is_sent_when_the_body_is_wanted() {
    let server = Server::start(GatewayConfig::default());
    let head = |path| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"
        )
    };
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head("/count").as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(body_of(&read_to_end(&mut stream).await), "5 5 false");
    // Who does not want the body answers without asking for it.
    let answer = talk(server.address, head("/reject/no-route").as_bytes()).await;
    assert_eq!(statuses(&answer), [404]);
}
