//! Documents that are valid, broken and malformed, and what is said about them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "replies that are known to be JSON")]

use config_validate::answer::{Asked, answer};
use config_validate::check::check;
use config_validate::document::{DEPTH_MAX, Document, Format};
use config_validate::schemas::SCHEMAS;
use guest_http::{Query, Reply};
use serde_json::{Value, json};

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body.concat()).unwrap()
}

fn posts(query: &str, content_type: Option<&str>, body: &str) -> (u16, Value) {
    let asked =
        Asked { method: "POST", path: "/validate", query: Query::new(query), content_type, body: body.as_bytes() };
    let reply = answer(&asked);
    (reply.status, json_of(&reply))
}

fn data(name: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/documents").join(name)).unwrap()
}

/// The errors of a reply, each as `line:column instancePath`.
fn places(reply: &Value) -> Vec<String> {
    let place =
        |error: &Value| format!("{}:{} {}", error["line"], error["column"], error["instancePath"].as_str().unwrap());
    reply["errors"].as_array().unwrap().iter().map(place).collect()
}

#[test]
fn every_schema_is_one() {
    let anything = Document::parse("null", Format::Json).unwrap();
    for (name, text) in SCHEMAS {
        assert!(check(&serde_json::from_str(text).unwrap(), &anything).is_ok(), "{name}");
    }
}

#[test]
fn a_valid_document() {
    assert_eq!(posts("schema=deployment", None, &data("shop.yaml")), (200, json!({"valid": true})));
}

#[test]
fn a_broken_yaml_document_says_where() {
    let (status, reply) = posts("schema=deployment", Some("application/yaml"), &data("shop-broken.yaml"));
    assert_eq!((status, &reply["valid"]), (422, &json!(false)));
    assert_eq!(
        places(&reply),
        [
            "2:10 /service",
            "4:11 /replicas",
            "6:3 /env",
            "7:9 /env/PORT",
            "10:5 /ports/1",
            "12:3 /probe",
            "14:3 /rollout",
            "15:1 ",
        ]
    );
    let message = |at: usize| reply["errors"][at]["message"].as_str().unwrap().to_owned();
    assert_eq!(message(1), "want integer, but got string");
    assert_eq!(reply["errors"][1]["schemaPath"], "/properties/replicas");
    assert!(message(7).contains("'replica' not allowed"), "{}", message(7));
}

#[test]
fn a_broken_json_document_says_where() {
    let (status, reply) = posts("schema=feature-flags", Some("application/json"), &data("flags.json"));
    assert_eq!((status, places(&reply)), (422, vec!["3:26 /search/enabled".into(), "3:42 /search/until".into()]));
    // The same text is YAML as well, with the same places.
    let yaml = posts("schema=feature-flags", Some("text/yaml"), &data("flags.json"));
    assert_eq!(yaml, (status, reply));
}

#[test]
fn a_schema_that_comes_along() {
    let body = r#"{"schema": {"properties": {"a": {"type": "integer"}}}, "document": {"a": 1.5}}"#;
    let (status, reply) = posts("", Some("application/json"), body);
    assert_eq!((status, places(&reply)), (422, vec!["1:74 /a".into()]));
    assert_eq!(posts("", None, "schema: {type: string}\ndocument: x\n").0, 200);
    for (schema, detail) in [
        (json!({"type": "nothing"}), "/type"),
        (json!({"pattern": "("}), "/pattern"),
        (json!({"pattern": "(a)\\1"}), "/pattern"),
        (json!({"$ref": "https://example.com/s.json"}), "example.com"),
    ] {
        let (status, reply) = posts("", None, &json!({"schema": schema, "document": 1}).to_string());
        assert!(status == 400 && reply["detail"].as_str().unwrap().contains(detail), "{status} {reply}");
    }
}

/// A text has to be refused as malformed, at this place and with this in the detail.
fn malformed(content_type: &str, text: &str, place: (u64, u64), detail: &str) {
    let (status, reply) = posts("schema=deployment", Some(content_type), text);
    assert_eq!(status, 400, "{text:?}: {reply}");
    assert!(reply["detail"].as_str().unwrap().contains(detail), "{text:?}: {reply}");
    assert_eq!((&reply["line"], &reply["column"]), (&json!(place.0), &json!(place.1)), "{text:?}: {reply}");
}

#[test]
fn malformed_documents_say_where() {
    malformed("application/json", "{\"a\": 1,\n \"b\": }", (2, 7), "expected value");
    malformed("application/json", "{\"a\": 1,\n \"a\": 2}", (2, 2), "\"a\" stands here twice");
    malformed("application/json", "", (1, 1), "EOF");
    malformed("application/yaml", "a: 1\nb: [1, 2\nc: 3\n", (3, 2), "illegal placement");
    malformed("application/yaml", "a: 1\na: 2\n", (2, 1), "\"a\" stands here twice");
    malformed("application/yaml", "a: 1\n---\nb: 2\n", (2, 1), "second document");
    malformed("application/yaml", "", (1, 1), "no document");
    malformed("application/yaml", "a: !secret x\n", (1, 4), "\"secret\" means nothing");
    malformed("application/yaml", "a: !!int x\n", (1, 4), "does not fit its tag");
    malformed("application/yaml", "? [a, b]\n: c\n", (1, 3), "name has to be a text");
    malformed("application/yaml", "a: .nan\n", (1, 4), "no number .nan");
    malformed("application/yaml", "a: &x [*x]\n", (1, 8), "alias");
}

#[test]
fn what_would_grow_without_end_is_refused() {
    let laughs = (1..12).fold("a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned(), |text, level| {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        text + &format!("a{level}: &a{level} [{below}]\n")
    });
    let (status, reply) = posts("schema=deployment", Some("text/yaml"), &laughs);
    assert!(status == 400 && reply["detail"].as_str().unwrap().contains("too large once its aliases"), "{reply}");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(", "));
    assert_eq!(posts("schema=deployment", Some("text/yaml"), &long).0, 400);
    for format in [Format::Json, Format::Yaml] {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Document::parse(&nested(DEPTH_MAX), format).is_ok(), "{format:?}");
        for depth in [DEPTH_MAX + 2, 10_000] {
            assert!(Document::parse(&nested(depth), format).is_err(), "{format:?} {depth}");
        }
    }
}

/// A YAML scalar has to become this value.
fn resolves(text: &str, expect: Value) {
    assert_eq!(Document::parse(&format!("a: {text}"), Format::Yaml).unwrap().value, json!({"a": expect}), "{text}");
}

#[test]
fn the_core_schema() {
    for text in ["", "~", "null", "NULL"] {
        resolves(text, Value::Null);
    }
    resolves("true", json!(true));
    resolves("no", json!("no"));
    resolves("12", json!(12));
    resolves("-12", json!(-12));
    resolves("+12", json!(12));
    resolves("012", json!(12));
    resolves("0x1F", json!(31));
    resolves("0o17", json!(15));
    resolves("18446744073709551615", json!(u64::MAX));
    resolves("1.5", json!(1.5));
    resolves("-.5e3", json!(-500.0));
    resolves("1.2.3", json!("1.2.3"));
    resolves("12:30", json!("12:30"));
    resolves("2026-01-01", json!("2026-01-01"));
    resolves("'12'", json!("12"));
    resolves("!!str 12", json!("12"));
    resolves("e5", json!("e5"));
    resolves("\"a\\tb\"", json!("a\tb"));
    resolves("{b: &x [1], c: *x}", json!({"b": [1], "c": [1]}));
}

#[test]
fn requests() {
    let asks = |method: &str, path: &str| {
        answer(&Asked { method, path, query: Query::new(""), content_type: None, body: b"" }).status
    };
    assert_eq!([asks("GET", "/schemas"), asks("GET", "/validate"), asks("GET", "/")], [200, 405, 404]);
    assert_eq!(posts("schema=nope", None, "a: 1").0, 404);
    assert_eq!(posts("", None, "a: 1").0, 400);
    let body = b"a: \xff";
    let asked = Asked { method: "POST", path: "/validate", query: Query::new(""), content_type: None, body };
    assert_eq!(answer(&asked).status, 400);
}

proptest::proptest! {
    /// Whatever JSON there is, it is the same document as YAML, and every value has a place that leads to it.
    #[test]
    fn json_is_yaml(keys in proptest::collection::btree_map("[a-z]{1,4}", -1000..1000_i64, 0..6), texts in proptest::collection::vec("[ -~]{0,12}", 0..5)) {
        let value = json!({"numbers": keys, "texts": texts, "deep": [[{"x": null}], true, 1.5]});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let json = Document::parse(&text, Format::Json).unwrap();
        let yaml = Document::parse(&text, Format::Yaml).unwrap();
        proptest::prop_assert_eq!(&json.value, &value);
        proptest::prop_assert_eq!(json, yaml);
    }

    #[test]
    fn nothing_panics(text in "[ -~\n]{0,60}") {
        for format in [Format::Json, Format::Yaml] {
            if let Ok(document) = Document::parse(&text, format) {
                drop(document.spot.find("/a/0/b").clone());
            }
        }
    }
}
