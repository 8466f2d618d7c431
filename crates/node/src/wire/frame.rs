//! The frames, and their bytes.
//!
//! A frame is its version, its kind (one byte each), the length of what follows (four bytes, big-endian), and that
//! many bytes: JSON for heads, trailers and outcomes, the bytes themselves for a chunk, a number for the rest.

use super::head::{Ending, Fields, ResponseHead};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use cumulet_gateway::RequestBodyErrorKind;
use cumulet_spec::invocation::InvocationHead;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The version of these frames. A frame of any other is refused.
const VERSION: u8 = 1;
/// What stands before the content of a frame, in bytes.
const PREFIX_BYTES: usize = 6;
/// The largest chunk of a body in one frame, in bytes.
pub(super) const CHUNK_BYTES_MAX: usize = 64 << 10;
/// The largest head or set of trailers, in bytes: what the gateway takes, at four characters of JSON for each byte.
const HEAD_BYTES_MAX: usize = 512 << 10;
/// The largest outcome, in bytes.
const OUTCOME_BYTES_MAX: usize = 256;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The head of an invocation; the first frame of a client.
    Invocation(Box<InvocationHead>),
    /// A piece of a body.
    Chunk(Bytes),
    /// The trailers of a body.
    Trailers(Fields),
    /// A body is at its end.
    End,
    /// A request body broke off.
    Failure(RequestBodyErrorKind),
    /// The other side may send so many bytes more.
    Credit(u32),
    /// The head of a response.
    Response(ResponseHead),
    /// How the invocation ended; the last frame of a server.
    Outcome(Ending),
    /// Nobody waits for the response any more; the last frame of a client.
    Cancel,
}

/// What a frame is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Invocation = 1,
    Chunk = 2,
    Trailers = 3,
    End = 4,
    Failure = 5,
    Credit = 6,
    Response = 7,
    Outcome = 8,
    Cancel = 9,
}

/// Bytes that are no frame, or a frame that cannot be sent.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The frame is of another version.
    #[error("a frame of version {0} instead of {VERSION}")]
    Version(u8),
    /// There is no such kind.
    #[error("a frame of the unknown kind {0}")]
    Kind(u8),
    /// The frame is longer or shorter than its kind can be.
    #[error("a frame {kind} of {bytes} bytes, where {bytes_max} are the most")]
    Length {
        /// Its kind.
        kind: &'static str,
        /// Its length.
        bytes: usize,
        /// The bound of its kind.
        bytes_max: usize,
    },
    /// The content is not what its kind says.
    #[error("a frame {kind} with the wrong content")]
    Content {
        /// Its kind.
        kind: &'static str,
        /// What the reader of its format says, where it has one.
        source: Option<serde_json::Error>,
    },
}

impl Frame {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Invocation(_) => Kind::Invocation,
            Self::Chunk(_) => Kind::Chunk,
            Self::Trailers(_) => Kind::Trailers,
            Self::End => Kind::End,
            Self::Failure(_) => Kind::Failure,
            Self::Credit(_) => Kind::Credit,
            Self::Response(_) => Kind::Response,
            Self::Outcome(_) => Kind::Outcome,
            Self::Cancel => Kind::Cancel,
        }
    }
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Invocation,
        Self::Chunk,
        Self::Trailers,
        Self::End,
        Self::Failure,
        Self::Credit,
        Self::Response,
        Self::Outcome,
        Self::Cancel,
    ];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Invocation => "invocation",
            Self::Chunk => "chunk",
            Self::Trailers => "trailers",
            Self::End => "end",
            Self::Failure => "failure",
            Self::Credit => "credit",
            Self::Response => "response",
            Self::Outcome => "outcome",
            Self::Cancel => "cancel",
        }
    }

    fn parse(byte: u8) -> Result<Self, FrameError> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte).ok_or(FrameError::Kind(byte))
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::Invocation | Self::Trailers | Self::Response => HEAD_BYTES_MAX,
            Self::Chunk => CHUNK_BYTES_MAX,
            Self::End | Self::Cancel => 0,
            Self::Failure => 1,
            Self::Credit => 4,
            Self::Outcome => OUTCOME_BYTES_MAX,
        }
    }

    fn check(self, bytes: usize) -> Result<(), FrameError> {
        let bytes_max = self.bytes_max();
        if bytes <= bytes_max { Ok(()) } else { Err(FrameError::Length { kind: self.label(), bytes, bytes_max }) }
    }

    const fn wrong(self, source: Option<serde_json::Error>) -> FrameError {
        FrameError::Content { kind: self.label(), source }
    }
}

/// Appends the bytes of a frame.
///
/// # Errors
/// When a head, trailers or a chunk are too long. Nothing is appended then.
pub(super) fn encode(frame: &Frame, to: &mut BytesMut) -> Result<(), FrameError> {
    let kind = frame.kind();
    match frame {
        Frame::Invocation(head) => put(kind, &json(kind, head)?, to),
        Frame::Chunk(bytes) => put(kind, bytes, to),
        Frame::Trailers(fields) => put(kind, &json(kind, fields)?, to),
        Frame::Failure(failure) => put(kind, &[failure_code(*failure)], to),
        Frame::Credit(bytes) => put(kind, &bytes.to_be_bytes(), to),
        Frame::Response(head) => put(kind, &json(kind, head)?, to),
        Frame::Outcome(ending) => put(kind, &json(kind, ending)?, to),
        Frame::End | Frame::Cancel => put(kind, &[], to),
    }
}

fn put(kind: Kind, content: &[u8], to: &mut BytesMut) -> Result<(), FrameError> {
    kind.check(content.len())?;
    to.reserve(PREFIX_BYTES + content.len());
    to.put_u8(VERSION);
    to.put_u8(kind as u8);
    to.put_u32(u32::try_from(content.len()).unwrap_or(u32::MAX));
    to.put_slice(content);
    Ok(())
}

/// Takes the next frame off the front, or nothing when it is not all here. What is refused is refused by its first
/// bytes, before its content is waited for.
///
/// # Errors
/// When the bytes are no frame; the stream cannot be read further.
pub(super) fn decode(from: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let mut prefix = from.chunk();
    let Ok(version) = prefix.try_get_u8() else { return Ok(None) };
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let Ok(kind) = prefix.try_get_u8() else { return Ok(None) };
    let kind = Kind::parse(kind)?;
    let Ok(length) = prefix.try_get_u32() else { return Ok(None) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    kind.check(length)?;
    if prefix.remaining() < length {
        return Ok(None);
    }
    from.advance(PREFIX_BYTES);
    content(kind, from.split_to(length).freeze()).map(Some)
}

fn content(kind: Kind, mut bytes: Bytes) -> Result<Frame, FrameError> {
    let wrong = |_short| kind.wrong(None);
    match kind {
        Kind::Invocation => Ok(Frame::Invocation(Box::new(read_json(kind, &bytes)?))),
        Kind::Chunk => Ok(Frame::Chunk(bytes)),
        Kind::Trailers => Ok(Frame::Trailers(read_json(kind, &bytes)?)),
        Kind::End => Ok(Frame::End),
        Kind::Failure => read_failure(bytes.try_get_u8().map_err(wrong)?).map(Frame::Failure),
        Kind::Credit => Ok(Frame::Credit(bytes.try_get_u32().map_err(wrong)?)),
        Kind::Response => Ok(Frame::Response(read_json(kind, &bytes)?)),
        Kind::Outcome => Ok(Frame::Outcome(read_json(kind, &bytes)?)),
        Kind::Cancel => Ok(Frame::Cancel),
    }
}

fn json(kind: Kind, value: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    serde_json::to_vec(value).map_err(|source| kind.wrong(Some(source)))
}

fn read_json<T: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(bytes).map_err(|source| kind.wrong(Some(source)))
}

const fn failure_code(failure: RequestBodyErrorKind) -> u8 {
    match failure {
        RequestBodyErrorKind::TooLarge => 1,
        RequestBodyErrorKind::Disconnected => 2,
        RequestBodyErrorKind::Malformed => 3,
    }
}

fn read_failure(code: u8) -> Result<RequestBodyErrorKind, FrameError> {
    match code {
        1 => Ok(RequestBodyErrorKind::TooLarge),
        2 => Ok(RequestBodyErrorKind::Disconnected),
        3 => Ok(RequestBodyErrorKind::Malformed),
        _ => Err(Kind::Failure.wrong(None)),
    }
}
