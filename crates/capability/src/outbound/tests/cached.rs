//! What is kept of responses, and for whom.

use super::*;

async fn server(header: &str) -> Server {
    Server::answering(format!("HTTP/1.1 200 OK\r\n{header}\r\ncontent-length: 4\r\nconnection: close\r\n\r\nkeys"))
        .await
}

fn keeping(server: &Server, cache: bool) -> Arc<Outbound> {
    Arc::new(Outbound::new(grants(&[&server.origin()], cache)))
}

#[tokio::test]
async fn what_may_be_kept_is_fetched_once() {
    let cases = [
        ("kept", "cache-control: max-age=60", true, None, 1),
        ("not granted", "cache-control: max-age=60", false, None, 3),
        ("not allowed by the server", "cache-control: no-store", true, None, 3),
        ("nothing is said about it", "x-nothing: said", true, None, 3),
        ("personal", "cache-control: max-age=60", true, Some("Bearer a"), 3),
        ("set for one person", "cache-control: max-age=60\r\nset-cookie: id=1", true, None, 3),
    ];
    for (name, header, cache, authorization, fetches) in cases {
        let server = server(header).await;
        let outbound = keeping(&server, cache);
        for _ in 0..3 {
            let mut request = get(&format!("{}/keys", server.origin()));
            if let Some(value) = authorization {
                request.headers_mut().insert(http::header::AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(text(&outbound, request).await.unwrap(), "keys", "{name}");
        }
        assert_eq!(server.connections(), fetches, "{name}");
    }
}

#[tokio::test]
async fn what_a_request_may_have_changed_is_fetched_anew() {
    let server = server("cache-control: max-age=60").await;
    let outbound = keeping(&server, true);
    for (method, fetches) in [("GET", 1), ("GET", 1), ("POST", 2), ("GET", 3), ("GET", 3)] {
        let mut request = get(&format!("{}/keys", server.origin()));
        *request.method_mut() = method.parse().unwrap();
        assert_eq!(text(&outbound, request).await.unwrap(), "keys", "{method}");
        assert_eq!(server.connections(), fetches, "{method}");
    }
}

#[tokio::test]
async fn an_answer_from_before_a_change_is_not_kept_after_it() {
    let server = server("cache-control: max-age=60").await;
    let outbound = keeping(&server, true);
    let uri = format!("{}/keys", server.origin());
    let under_way = try_send(&outbound, get(&uri)).await.unwrap();
    let mut change = get(&uri);
    *change.method_mut() = http::Method::PUT;
    assert_eq!(text(&outbound, change).await.unwrap(), "keys");
    assert_eq!(under_way.into_body().collect().await.unwrap().to_bytes(), "keys");
    assert_eq!(text(&outbound, get(&uri)).await.unwrap(), "keys");
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn an_answer_that_does_not_end_reaches_the_guest_as_it_comes() {
    let stream = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 1000\r\n\r\nfirst";
    let server = Server::answering(stream).await;
    let outbound = keeping(&server, true);
    let mut body = try_send(&outbound, get(&format!("{}/events", server.origin()))).await.unwrap().into_body();
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "first");
}
