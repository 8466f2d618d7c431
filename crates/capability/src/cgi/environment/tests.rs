use super::*;
use http::Request;

/// The variables of a request, without those that are the same for all; one a line.
fn variables(request: Request<()>, granted: &[(&str, &str)]) -> String {
    let granted: Vec<_> = granted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (head, ()) = request.into_parts();
    let mut lines: Vec<String> = environment(&head, &granted)
        .into_iter()
        .filter(|(name, _)| !matches!(name.as_str(), "GATEWAY_INTERFACE" | "SERVER_SOFTWARE" | "SCRIPT_NAME"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    lines.sort();
    lines.join("\n")
}

fn get(uri: &str) -> http::request::Builder {
    Request::get(uri)
}

#[test]
fn a_request_is_its_variables() {
    let request = Request::post("/a%20b/c?x=1&y=%20")
        .header("host", "shop.example.com:8080")
        .header("content-type", "text/csv")
        .header("content-length", "5")
        .header("accept", "text/html")
        .header("accept", "text/plain")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("authorization", "Bearer x");
    insta::assert_snapshot!(variables(request.body(()).unwrap(), &[("LOG", "info")]), @r"
    CONTENT_LENGTH=5
    CONTENT_TYPE=text/csv
    HTTP_ACCEPT=text/html, text/plain
    HTTP_AUTHORIZATION=Bearer x
    HTTP_COOKIE=a=1; b=2
    HTTP_HOST=shop.example.com:8080
    LOG=info
    PATH_INFO=/a b/c
    QUERY_STRING=x=1&y=%20
    REQUEST_METHOD=POST
    REQUEST_URI=/a%20b/c?x=1&y=%20
    SERVER_NAME=shop.example.com
    SERVER_PORT=8080
    SERVER_PROTOCOL=HTTP/1.1
    ");
}

#[test]
fn a_client_sets_nothing_but_its_own_fields() {
    let request = get("/")
        .header("proxy", "http://evil.example")
        .header("transfer-encoding", "chunked")
        .header("x_token", "underscore")
        .header("x-token", "dash")
        .header("x!odd", "1")
        .header("key", "client's")
        .header("path-info", "a field of that name");
    // `key` is granted as HTTP_KEY; REQUEST_METHOD and REMOTE_USER cannot be granted.
    let granted = [("HTTP_KEY", "granted"), ("REQUEST_METHOD", "DELETE"), ("REMOTE_USER", "root")];
    insta::assert_snapshot!(variables(request.body(()).unwrap(), &granted), @r"
    HTTP_KEY=granted
    HTTP_PATH_INFO=a field of that name
    HTTP_X_TOKEN=dash
    PATH_INFO=/
    QUERY_STRING=
    REQUEST_METHOD=GET
    REQUEST_URI=/
    SERVER_NAME=localhost
    SERVER_PORT=80
    SERVER_PROTOCOL=HTTP/1.1
    ");
}

#[test]
fn a_request_over_tls_names_its_host_itself() {
    let request = get("https://[::1]/x").version(Version::HTTP_2).header("host", "other.example").body(()).unwrap();
    let (head, ()) = request.into_parts();
    let all = environment(&head, &[]);
    for (name, value) in
        [("SERVER_NAME", "[::1]"), ("SERVER_PORT", "443"), ("HTTPS", "on"), ("SERVER_PROTOCOL", "HTTP/2.0")]
    {
        assert!(all.contains(&(name.to_owned(), value.to_owned())), "{name} in {all:?}");
    }
}

#[test]
fn escapes_of_a_path() {
    for (path, expect) in [
        ("/a%20b", "/a b"),
        ("/%C3%A9", "/é"),
        // What a program could not tell from what it is not.
        ("/a%2Fb%2fc", "/a%2Fb%2fc"),
        ("/a%00b%0a", "/a%00b%0a"),
        // Once.
        ("/%252F", "/%2F"),
        // No escapes.
        ("/100%", "/100%"),
        ("/%zz%4", "/%zz%4"),
        // Not text: nothing of it is decoded.
        ("/%20%ff", "/%20%ff"),
    ] {
        assert_eq!(decoded_path(path), expect, "{path}");
    }
}

#[test]
fn words_of_a_query() {
    let check = |method: Method, query: &str, expect: &[&str]| {
        let request = Request::builder().method(method).uri(format!("/?{query}")).body(()).unwrap();
        let all = arguments(&request.into_parts().0);
        assert_eq!(
            all.split_first(),
            Some((&NAME.to_owned(), expect.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice())),
            "{query}"
        );
    };
    check(Method::GET, "one+two%20three", &["one", "two three"]);
    check(Method::HEAD, "a%3Db", &["a=b"]);
    check(Method::GET, "", &[]);
    check(Method::GET, "a=b", &[]);
    check(Method::GET, "one+a=b", &[]);
    check(Method::POST, "one", &[]);
    // Options are not the client's to set, however they are written.
    check(Method::GET, "one+-d+allow", &[]);
    check(Method::GET, "%2ds", &[]);
    check(Method::GET, "one%00two", &[]);
    check(Method::GET, "one+%ff", &[]);
}

#[test]
fn every_name_has_a_place_in_the_order() {
    assert!(META_VARIABLES.is_sorted() && KEPT_BACK.is_sorted());
    assert!(is_meta_variable("PATH_INFO") && !is_meta_variable("PATH"));
}
