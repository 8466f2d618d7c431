use super::*;
use proptest::prelude::*;

/// What comes of an output, given in parts: status, fields, body; or why it is no answer.
fn read(parts: &[&[u8]]) -> Result<String, HeadError> {
    let (mut buffer, mut head, mut body) = (HeadBuffer::default(), None, Vec::new());
    for part in parts {
        let mut bytes = Bytes::copy_from_slice(part);
        if head.is_none() {
            head = buffer.push(&mut bytes)?;
        }
        body.extend_from_slice(&bytes);
    }
    let head = head.ok_or_else(|| buffer.unfinished())?;
    let fields = head.headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap_or("?")));
    let fields: Vec<String> = fields.collect();
    Ok(format!("{} [{}] {:?}", head.status.as_u16(), fields.join(" "), String::from_utf8_lossy(&body)))
}

#[track_caller]
fn check(output: &str, expect: &str) {
    let told = |read: Result<String, HeadError>| read.unwrap_or_else(|error| error.to_string());
    assert_eq!(told(read(&[output.as_bytes()])), expect, "at once");
    let bytes: Vec<&[u8]> = output.as_bytes().chunks(1).collect();
    assert_eq!(told(read(&bytes)), expect, "byte by byte");
}

#[test]
fn answers() {
    check("Content-Type: text/plain\n\nhi\n", r#"200 [content-type=text/plain] "hi\n""#);
    check("Content-Type: text/plain\r\n\r\nhi", r#"200 [content-type=text/plain] "hi""#);
    check("content-type:text/plain\r\n\nhi", r#"200 [content-type=text/plain] "hi""#);
    check("Status: 404 Not Found\n\n", r#"404 [] """#);
    check("Status: 204\n\n", r#"204 [] """#);
    check("Location: /other\n\n", r#"302 [location=/other] """#);
    check("Location: /other\nStatus: 303 See Other\n\n", r#"303 [location=/other] """#);
    check(
        "Content-Type: a/b\nSet-Cookie: a=1\nSet-Cookie: b=2\n\n",
        r#"200 [content-type=a/b set-cookie=a=1 set-cookie=b=2] """#,
    );
    // The body may begin with anything.
    check("Content-Type: a/b\n\n\n\nx", r#"200 [content-type=a/b] "\n\nx""#);
    // The connection is the server's.
    check("Content-Type: a/b\nConnection: close\nTransfer-Encoding: chunked\n\n", r#"200 [content-type=a/b] """#);
    check("Content-Type: a/b\nX-Empty:\n\n", r#"200 [content-type=a/b x-empty=] """#);
}

#[test]
fn what_is_no_answer() {
    check("", "it ended after 0 bytes of output, without an empty line after the header");
    check("Content-Type: a/b\n", "it ended after 18 bytes of output, without an empty line after the header");
    check("\nhello", "its answer's header has none of `Content-Type`, `Status` and `Location`");
    check("X-A: 1\n\n", "its answer's header has none of `Content-Type`, `Status` and `Location`");
    check("Hello, world\n\n", r#"line 1 of its answer's header, "Hello, world", is no header field: it has no colon"#);
    check(
        "HTTP/1.1 200 OK\nContent-Type: a/b\n\n",
        r#"line 1 of its answer's header, "HTTP/1.1 200 OK", is the status line of HTTP; with CGI it is `Status: 200 OK`"#,
    );
    for status in ["99", "100 Continue", "600", "abc", "", "2000", "200OK", "-20"] {
        let expect = format!(r#"line 1 of its answer's header, "Status: {status}", is no status from 200 to 599"#);
        check(&format!("Status: {status}\n\n"), &expect);
    }
    check("Status: 200\nStatus: 200\n\n", r#"line 2 of its answer's header, "Status: 200", is a second status"#);
    for length in ["five", "-1", "+1", "", "99999999999999999999"] {
        let expect =
            format!(r#"line 1 of its answer's header, "Content-Length: {length}", is no length, or a second one"#);
        check(&format!("Content-Length: {length}\n\n"), &expect);
    }
    check(
        "Content-Length: 1\nContent-Length: 1\n\n",
        r#"line 2 of its answer's header, "Content-Length: 1", is no length, or a second one"#,
    );
    check(
        "Content-Type: a/b\nX Y: 1\n\n",
        r#"line 2 of its answer's header, "X Y: 1", has a name that no header field may have"#,
    );
    check(
        "Content-Type: a/b\n folded\n\n",
        r#"line 2 of its answer's header, " folded", is no header field: it has no colon"#,
    );
    check(
        "Content-Type: a/b\nX: a\rSet-Cookie: b\n\n",
        r#"line 2 of its answer's header, "X: a\rSet-Cookie: b", has a value that no header field may have"#,
    );
    check(
        "Content-Type: a/b\nX: a\0b\n\n",
        r#"line 2 of its answer's header, "X: a\0b", has a value that no header field may have"#,
    );
}

#[test]
fn what_is_too_much() {
    let many = |count: usize| format!("{}\n", "Content-Type: a/b\n".repeat(count));
    assert!(read(&[many(FIELDS_MAX).as_bytes()]).is_ok());
    assert_eq!(read(&[many(FIELDS_MAX + 1).as_bytes()]), Err(HeadError::TooMany));
    let long = |length: usize| {
        let rest = length - "Content-Type: \n\n".len();
        format!("Content-Type: {}\n\nbody", "x".repeat(rest))
    };
    assert!(read(&[long(HEAD_BYTES_MAX).as_bytes()]).unwrap().ends_with(r#""body""#));
    assert_eq!(read(&[long(HEAD_BYTES_MAX + 1).as_bytes()]), Err(HeadError::Endless));
    let shown = "y".repeat(1_000);
    let error = read(&[shown.as_bytes(), b"\n\n"]).unwrap_err().to_string();
    assert!(error.len() < 200, "{error}");
}

proptest! {
    /// Whatever a guest writes, and however it is cut, the same comes of it, and nothing that a client could not read.
    #[test]
    fn any_bytes_and_any_cuts(
        output in prop::collection::vec(prop_oneof![
            Just(b"Content-Type: a/b".to_vec()), Just(b"Status: 200 OK".to_vec()), Just(b"\n".to_vec()),
            Just(b"\r\n".to_vec()), Just(b"X: y".to_vec()), prop::collection::vec(any::<u8>(), 0..20),
        ], 0..20),
        cuts in prop::collection::vec(0..400_usize, 0..6),
    ) {
        let output = output.concat();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(output.len())).collect();
        cuts.sort_unstable();
        cuts.push(output.len());
        let mut from = 0;
        let parts: Vec<&[u8]> = cuts.iter().map(|cut| { let part = &output[from..*cut]; from = *cut; part }).collect();
        let whole = read(&[&output]);
        prop_assert_eq!(&whole, &read(&parts));
        if let Ok(whole) = whole {
            prop_assert!(!whole.split('"').next().unwrap().contains(['\n', '\r', '\0']));
        }
    }
}
