//! Error responses, byte for byte.

use cumulet_gateway::GatewayConfig;
use cumulet_spec::outcome::Outcome;

use crate::Server;
use crate::handler::Event;
use crate::soon;
use crate::wire::{field, statuses, talk};
use cumulet_gateway::Refusal;

async fn rejected(server: &Server, label: &str, fields: &str) -> String {
    let request =
        format!("GET /reject/{label} HTTP/1.1\r\nhost: a\r\nx-request-id: r1\r\nconnection: close\r\n{fields}\r\n");
    talk(server.address, request.as_bytes()).await
}

#[tokio::test]
async fn every_outcome_has_its_status_and_says_nothing_of_the_inside() {
    let server = Server::start(GatewayConfig::default());
    for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Ok) {
        let answer = rejected(&server, outcome.label(), "").await;
        assert_eq!(statuses(&answer), [outcome.status()]);
        assert_eq!(field(&answer, "retry-after"), outcome.retry_after().then_some("1"), "{outcome}");
        assert_eq!(field(&answer, "x-request-id"), Some("r1"));
        assert_eq!(field(&answer, "content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.ends_with(&format!("\r\n\r\n{}\n", outcome.public_text())), "{answer}");
    }
}

#[tokio::test]
async fn json_is_written_for_who_accepts_it() {
    let server = Server::start(GatewayConfig::default());
    for (accept, json) in [
        ("application/json", true),
        ("text/html, Application/JSON;q=0.9", true),
        ("application/problem+json", true),
        ("application/json;q=0", false),
        ("application/json; q=0.000", false),
        ("application/json;q=0.001", true),
        ("*/*", false),
        ("text/javascript", false),
        ("application/jsonp", false),
    ] {
        let answer = rejected(&server, "quota", &format!("accept: {accept}\r\n")).await;
        let expected = "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429,\
                        \"detail\":\"The application is over its quota; try again later.\",\"outcome\":\"quota\",\
                        \"request_id\":\"r1\"}\n";
        assert_eq!(answer.ends_with(expected), json, "{accept}: {answer}");
        assert_eq!(field(&answer, "content-type") == Some("application/problem+json"), json, "{accept}");
    }
}

#[tokio::test]
async fn a_drain_closes_the_connection() {
    let server = Server::start(GatewayConfig::default());
    let request = "GET /reject/draining HTTP/1.1\r\nhost: a\r\n\r\n".repeat(2);
    let answer = talk(server.address, request.as_bytes()).await;
    assert_eq!(statuses(&answer), [503], "the second request must not be answered");
    assert_eq!(field(&answer, "connection"), Some("close"));
}

#[tokio::test]
async fn a_final_status_of_1xx_is_no_response() {
    let server = Server::start(GatewayConfig::default());
    let answer = talk(server.address, b"GET /switch HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_eq!(statuses(&answer), [500]);
}

#[tokio::test]
async fn the_handler_is_told_what_was_refused() {
    let server = Server::start(GatewayConfig { body_bytes_max: 4, ..GatewayConfig::default() });
    let too_large = b"POST / HTTP/1.1\r\nhost: a\r\nx-request-id: r1\r\ncontent-length: 5\r\n\r\n";
    let answer = talk(server.address, too_large).await;
    assert_eq!(field(&answer, "x-request-id"), Some("r1"));
    assert!(answer.ends_with("The request is too large.\n"), "{answer}");
    assert_eq!(soon(server.guest.event()).await, Event::Refused(Refusal::BodyTooLarge));
}
