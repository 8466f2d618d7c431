//! Calls to other components of the app.

use super::*;
use crate::outbound::inside::{Answer, Inside};
use http_body_util::Full;

/// A component of every name, that answers with its name.
#[derive(Debug, Default)]
struct App {
    called: Mutex<Vec<String>>,
}

impl Inside for App {
    fn call(&self, component: &str, request: http::Request<RequestBody>) -> Answer {
        self.called.lock().push(format!("{component} {} {}", request.method(), request.uri()));
        let body = Full::new(Bytes::copy_from_slice(component.as_bytes())).map_err(|never| match never {});
        Box::pin(std::future::ready(Ok(http::Response::new(body.boxed_unsync()))))
    }
}

async fn ask(
    outbound: &Arc<Outbound>,
    app: Option<&Arc<App>>,
    request: http::Request<RequestBody>,
) -> Result<String, Error> {
    let inside = app.map(|app| Arc::clone(app) as Arc<dyn Inside>);
    read(try_send_inside(outbound, inside, request).await?).await
}

const GRANTED: [&str; 5] = [
    "http://auth.internal",
    "https://auth.internal",
    "http://auth.internal:8080",
    "http://a.auth.internal",
    "http://internal",
];

/// What is sent, whether an app stands behind it, and what comes back.
#[tokio::test]
async fn only_granted_components_answer_and_no_name_server_is_asked() {
    let cases = [
        ("http://auth.internal/a?b", true, "answered with \"auth\""),
        ("http://AUTH.Internal.:80/", true, "answered with \"auth\""),
        ("http://data.internal/", true, "HttpRequestDenied"),
        ("http://auth.internal:81/", true, "HttpRequestDenied"),
        ("https://auth.internal/", true, "DnsError"),
        ("http://auth.internal:8080/", true, "DnsError"),
        ("http://a.auth.internal/", true, "DnsError"),
        ("http://internal/", true, "DnsError"),
        ("http://auth.internal/", false, "DnsError"),
    ];
    for (uri, is_set, expect) in cases {
        let (app, names) = (Arc::new(App::default()), Names::all("127.0.0.1"));
        let resolver = Some(Arc::clone(&names) as Arc<dyn Resolve>);
        let outbound = outbound_with(&GRANTED, OutboundOptions { resolver, ..OutboundOptions::default() });
        let answer = ask(&outbound, is_set.then_some(&app), get(uri)).await;
        assert_eq!(shown(answer), expect, "{uri}");
        assert_eq!(app.called.lock().len(), usize::from(expect.starts_with("answered")), "{uri}");
        assert_eq!(names.asked.load(Ordering::SeqCst), 0, "{uri}");
    }
}

#[tokio::test]
async fn the_component_gets_the_request_as_it_was_checked() {
    let app = Arc::new(App::default());
    let outbound = outbound(&["http://*.internal"]);
    assert_eq!(ask(&outbound, Some(&app), get("http://AUTH.internal.:080/a?b")).await.unwrap(), "auth");
    assert_eq!(ask(&outbound, Some(&app), get("http://data.internal/")).await.unwrap(), "data");
    assert_eq!(*app.called.lock(), ["auth GET http://auth.internal/a?b", "data GET http://data.internal/"]);
}

#[tokio::test]
async fn calls_inside_are_bounded_like_any_other() {
    let bounds = Bounds { body_bytes: 3, ..Bounds::default() };
    let app = Arc::new(App::default());
    let outbound = outbound_bounded(&["http://*.internal"], bounds);
    assert_eq!(ask(&outbound, Some(&app), get("http://sum.internal/")).await.unwrap(), "sum");
    let answer = ask(&outbound, Some(&app), get("http://auth.internal/")).await;
    assert_eq!(shown(answer), "HttpResponseBodySize");
}
