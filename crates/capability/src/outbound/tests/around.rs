//! Ways around a grant: none of them is sent anywhere.

use super::*;

/// What to try, in which `PORT` is where a server listens on loopback, and what it comes to.
const WAYS: [(&str, &str); 54] = [
    // Places that are not granted.
    ("http://127.0.0.1:PORT/", "HttpRequestDenied"),
    ("http://localhost:PORT/", "HttpRequestDenied"),
    ("http://0.0.0.0:PORT/", "HttpRequestDenied"),
    ("http://[::1]:PORT/", "HttpRequestDenied"),
    ("http://[::]:PORT/", "HttpRequestDenied"),
    ("http://[::ffff:127.0.0.1]:PORT/", "HttpRequestDenied"),
    ("http://[::ffff:7f00:1]:PORT/", "HttpRequestDenied"),
    ("http://[64:ff9b::7f00:1]:PORT/", "HttpRequestDenied"),
    ("http://169.254.169.254/latest/meta-data/", "HttpRequestDenied"),
    ("http://[fd00:ec2::254]/", "HttpRequestDenied"),
    ("http://metadata.google.internal/", "HttpRequestDenied"),
    ("http://allowed.example/", "HttpRequestDenied"),
    ("https://allowed.example:PORT/", "HttpRequestDenied"),
    ("ftp://allowed.example:PORT/", "HttpRequestDenied"),
    ("ws://allowed.example:PORT/", "HttpRequestDenied"),
    ("http://xallowed.example:PORT/", "HttpRequestDenied"),
    ("http://allowed.example.evil.test:PORT/", "HttpRequestDenied"),
    ("http://allowed-example:PORT/", "HttpRequestDenied"),
    ("http://xn--llowed-8ve.example:PORT/", "HttpRequestDenied"),
    ("http://a.b.wild.example:PORT/", "HttpRequestDenied"),
    ("http://wild.example:PORT/", "HttpRequestDenied"),
    ("http://127.0.0.1.wild.example:PORT/", "HttpRequestDenied"),
    ("http://a.wild.example.evil.test:PORT/", "HttpRequestDenied"),
    // Hosts that parsers read in more than one way.
    ("http://127.1:PORT/", "HttpRequestUriInvalid"),
    ("http://0x7f.1:PORT/", "HttpRequestUriInvalid"),
    ("http://0x7f000001:PORT/", "HttpRequestUriInvalid"),
    ("http://2130706433:PORT/", "HttpRequestUriInvalid"),
    ("http://0177.0.0.1:PORT/", "HttpRequestUriInvalid"),
    ("http://127.0.0.1.:PORT/", "HttpRequestDenied"),
    ("http://allowed.example..:PORT/", "HttpRequestUriInvalid"),
    ("http://.wild.example:PORT/", "HttpRequestUriInvalid"),
    ("http://*.wild.example:PORT/", "HttpRequestUriInvalid"),
    ("http://%61llowed.example:PORT/", "HttpRequestUriInvalid"),
    ("http://127%2e0%2e0%2e1:PORT/", "HttpRequestUriInvalid"),
    ("http://allowed.example%00.evil.test:PORT/", "HttpRequestUriInvalid"),
    ("http://allowed。example:PORT/", "HttpRequestUriInvalid"),
    ("http://①②⑦.0.0.1:PORT/", "HttpRequestUriInvalid"),
    ("http://[fe80::1%25lo]:PORT/", "HttpRequestUriInvalid"),
    ("http://[v1.a]:PORT/", "HttpRequestUriInvalid"),
    ("http://allowed.example\\@127.0.0.1:PORT/", "HttpRequestUriInvalid"),
    // User information before the host.
    ("http://allowed.example@127.0.0.1:PORT/", "HttpRequestUriInvalid"),
    ("http://allowed.example:PORT@127.0.0.1:PORT/", "HttpRequestUriInvalid"),
    ("http://user:word@allowed.example:PORT/", "HttpRequestUriInvalid"),
    ("http://@allowed.example:PORT/", "HttpRequestUriInvalid"),
    // Ports that are none.
    ("http://allowed.example:0/", "HttpRequestUriInvalid"),
    ("http://allowed.example:/", "HttpRequestUriInvalid"),
    ("http://allowed.example:+80/", "HttpRequestUriInvalid"),
    ("http://allowed.example:65616/", "HttpRequestUriInvalid"),
    // No place at all.
    ("/path", "HttpRequestUriInvalid"),
    ("allowed.example:PORT", "HttpRequestUriInvalid"),
    // The granted name, in another spelling: it passes the grant, and then its address does not.
    ("http://ALLOWED.Example:PORT/", "DestinationIpProhibited"),
    ("http://allowed.example.:PORT/", "DestinationIpProhibited"),
    ("http://allowed.example:0PORT/", "DestinationIpProhibited"),
    ("http://a.wild.example:PORT/", "DestinationIpProhibited"),
];

#[tokio::test]
async fn no_way_around_the_grant_is_sent() {
    let server = Server::plain().await;
    let port = server.port.to_string();
    let granted = ["http://allowed.example:PORT", "http://*.wild.example:PORT"].map(|it| it.replace("PORT", &port));
    let options = OutboundOptions { resolver: Some(Names::all("127.0.0.1")), ..OutboundOptions::default() };
    let outbound = outbound_with(&granted.each_ref().map(String::as_str), options);
    for (way, expect) in WAYS {
        let found = match way.replace("PORT", &port).parse::<http::Uri>() {
            Ok(uri) => {
                let mut request = get("/");
                *request.uri_mut() = uri;
                refusal(&outbound, request).await
            }
            // The engine tells the guest so before it comes here.
            Err(_) => "HttpRequestUriInvalid".to_owned(),
        };
        assert_eq!(found, expect, "{way}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_is_no_path_and_what_asks_for_a_tunnel_is_not_sent() {
    let server = Server::plain().await;
    let outbound = outbound(&[&server.origin()]);
    let authority = format!("127.0.0.1:{}", server.port);
    let uri = http::Uri::builder().scheme("http").authority(authority).path_and_query("*").build().unwrap();
    let mut request = get("/");
    *request.uri_mut() = uri;
    assert_eq!(refusal(&outbound, request).await, "HttpRequestUriInvalid");
    let mut tunnel = get(&format!("{}/", server.origin()));
    *tunnel.method_mut() = http::Method::CONNECT;
    assert_eq!(refusal(&outbound, tunnel).await, "HttpRequestMethodInvalid");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_host_that_is_sent_is_the_one_that_was_checked() {
    let server = Server::plain().await;
    let outbound = outbound(&[&format!("http://localhost:{}", server.port)]);
    let mut request = get(&format!("http://LOCALHOST.:0{}/a?b", server.port));
    for (name, value) in [
        ("host", "evil.test"),
        ("connection", "upgrade, x-kept"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("proxy-connection", "keep-alive"),
        ("x-kept", "yes"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert_eq!(text(&outbound, request).await.unwrap(), "keys");
    let heads = server.heads.lock();
    let head = heads.first().unwrap().to_ascii_lowercase();
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    lines.retain(|line| *line != "transfer-encoding: chunked");
    lines.sort_unstable();
    let host = format!("host: localhost:{}", server.port);
    assert_eq!(lines, ["get /a?b http/1.1", &host, "x-kept: yes"]);
}
