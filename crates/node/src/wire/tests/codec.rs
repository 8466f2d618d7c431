//! The bytes of each frame, and bytes that are none.

use crate::wire::frame::{CHUNK_BYTES_MAX, Frame, decode, encode};
use crate::wire::head::{Ending, Fields, ResponseHead};
use bytes::{Bytes, BytesMut};
use cumulet_gateway::RequestBodyErrorKind;
use cumulet_spec::id::{AppName, ComponentName, InvocationId, RequestId};
use cumulet_spec::invocation::{InvocationHead, Trigger};
use cumulet_spec::outcome::Outcome;
use std::fmt::Write as _;

fn frames() -> Vec<Frame> {
    let head = InvocationHead {
        id: InvocationId(7),
        request: RequestId::from_bits(0xab),
        app: AppName::parse("shop").unwrap(),
        component: ComponentName::parse("front").unwrap(),
        trigger: Trigger::Http,
        method: "POST".to_owned(),
        uri: "/a%2Fb?c=d".to_owned(),
        headers: vec![("host".to_owned(), b"shop.test".to_vec()), ("x-bytes".to_owned(), vec![0xff, b'!'])],
    };
    let fields = Fields(vec![("x-checksum".to_owned(), b"42".to_vec())]);
    vec![
        Frame::Invocation(Box::new(head)),
        Frame::Chunk(Bytes::from_static(b"a piece\n")),
        Frame::Trailers(fields.clone()),
        Frame::End,
        Frame::Failure(RequestBodyErrorKind::TooLarge),
        Frame::Failure(RequestBodyErrorKind::Disconnected),
        Frame::Failure(RequestBodyErrorKind::Malformed),
        Frame::Credit(262_144),
        Frame::Response(ResponseHead { status: 200, headers: fields, body_bytes: Some(8) }),
        Frame::Outcome(Outcome::Ok.into()),
        Frame::Outcome(Ending { outcome: Outcome::Concurrency, retry_after_ms: Some(1_000) }),
        Frame::Cancel,
    ]
}

fn bytes_of(frame: &Frame) -> BytesMut {
    let mut bytes = BytesMut::new();
    encode(frame, &mut bytes).unwrap();
    bytes
}

/// The bytes in the way of a hex editor: what is not to be read as text is shown as hex.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (prefix, content) = bytes.split_at(6);
    for byte in prefix {
        write!(text, "{byte:02x} ").unwrap();
    }
    write!(text, "{}", content.escape_ascii()).unwrap();
    text
}

#[test]
fn each_frame_has_these_bytes_and_comes_back_from_them() {
    let mut golden = String::new();
    for frame in frames() {
        let mut bytes = bytes_of(&frame);
        writeln!(golden, "{}", shown(&bytes).trim_end()).unwrap();
        assert_eq!(decode(&mut bytes).unwrap(), Some(frame));
        assert!(bytes.is_empty());
    }
    insta::assert_snapshot!("frames", golden);
}

#[test]
fn a_frame_that_is_not_all_here_is_waited_for() {
    for frame in frames() {
        let whole = bytes_of(&frame);
        for cut in 0..whole.len() {
            let mut bytes = BytesMut::from(&whole[..cut]);
            assert!(decode(&mut bytes).unwrap().is_none(), "{frame:?} cut at {cut}");
            assert_eq!(bytes.len(), cut, "nothing is taken of a part");
        }
    }
}

#[test]
fn bytes_that_are_no_frame_are_refused_with_a_reason() {
    let mut reasons = String::new();
    for bytes in [
        &b"\x02"[..],
        b"\x01\x00",
        b"\x01\x0a",
        // One more than a chunk, an end with content, a head beyond its bound: none is waited for.
        b"\x01\x02\x00\x01\x00\x01",
        b"\x01\x04\x00\x00\x00\x01",
        b"\x01\x01\xff\xff\xff\xff",
        b"\x01\x05\x00\x00\x00\x00",
        b"\x01\x05\x00\x00\x00\x01\x09",
        b"\x01\x06\x00\x00\x00\x03\x00\x00\x01",
        b"\x01\x08\x00\x00\x00\x02{}",
        b"\x01\x01\x00\x00\x00\x01\xff",
    ] {
        let error = decode(&mut BytesMut::from(bytes)).unwrap_err();
        writeln!(reasons, "{}: {error}", bytes.escape_ascii()).unwrap();
    }
    insta::assert_snapshot!("refusals", reasons);
}

#[test]
fn what_does_not_fit_is_not_encoded() {
    let mut bytes = BytesMut::new();
    assert!(encode(&Frame::Chunk(Bytes::from(vec![0; CHUNK_BYTES_MAX + 1])), &mut bytes).is_err());
    let fields = Fields(vec![("x".to_owned(), vec![b'9'; 300 << 10])]);
    assert!(encode(&Frame::Trailers(fields), &mut bytes).is_err());
    assert!(bytes.is_empty());
}
