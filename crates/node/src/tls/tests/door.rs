//! What is decided before a request is routed.

use super::{Hello, pair};
use crate::tls::shelf::Shelf;
use crate::tls::{Door, Front};
use cumulet_gateway::{Certificate, Handler as _, Incoming, RequestBody, Tls, TlsSettings};
use cumulet_spec::id::RequestId;
use http::Request;
use http::header::{HOST, LOCATION};
use http_body_util::BodyExt as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

fn front(redirect: Option<u16>) -> Front<Hello> {
    let shelf = Arc::new(Shelf::new(Tls::new(TlsSettings::default()).unwrap()));
    for host in ["a.example", "*.b.example"] {
        let (chain, key) = pair(host, |_params| {});
        shelf.put_asked_for(host, Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap());
    }
    Front { door: Arc::new(Door { shelf, tokens: Arc::default(), redirect }), inner: Hello }
}

/// The status, and where to or what.
async fn ask(front: &Front<Hello>, host: &str, target: &str) -> (u16, String) {
    let request = Request::post(target).header(HOST, host).body(RequestBody::empty()).unwrap();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let incoming = Incoming { id: RequestId::from_bits(1), request, peer };
    let response = front.handle(incoming).await.unwrap();
    let location = response.headers().get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, location.unwrap_or_else(|| String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test]
async fn who_has_a_certificate_is_sent_to_tls() {
    let (standard, other, nowhere) = (front(Some(443)), front(Some(8443)), front(None));
    for (host, target, expect, at_other) in [
        ("a.example", "/", "https://a.example/", "https://a.example:8443/"),
        ("A.example:80", "/x?y=%20", "https://a.example/x?y=%20", "https://a.example:8443/x?y=%20"),
        (
            "c.b.example",
            "//evil.example/",
            "https://c.b.example//evil.example/",
            "https://c.b.example:8443//evil.example/",
        ),
    ] {
        assert_eq!(ask(&standard, host, target).await, (308, expect.to_owned()));
        assert_eq!(ask(&other, host, target).await, (308, at_other.to_owned()));
        assert_eq!(ask(&nowhere, host, target).await, (200, target.to_owned()));
    }
    for (host, target) in [
        ("d.example", "/"),
        ("c.c.b.example", "/"),
        ("127.0.0.1", "/"),
        ("", "/"),
        ("a.example", "/.well-known/acme-challenge/unknown"),
        ("a.example", "*"),
    ] {
        assert_eq!(ask(&standard, host, target).await, (200, target.to_owned()), "{host}");
    }
}

#[tokio::test]
async fn a_token_is_answered_while_it_is_under_way() {
    let front = front(Some(443));
    let target = "/.well-known/acme-challenge/token";
    let answer = front.door.tokens.answer("token", "token.thumb");
    assert_eq!(ask(&front, "z.example", target).await, (200, "token.thumb".to_owned()));
    assert_eq!(ask(&front, "z.example", &format!("{target}/")).await.1, format!("{target}/"), "it is the app's");
    drop(answer);
    assert_eq!(ask(&front, "z.example", target).await.1, target, "it is the app's");
}
