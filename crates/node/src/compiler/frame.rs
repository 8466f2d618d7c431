//! What a node and a compile process say to each other.
//!
//! A frame is its version, its kind (one byte each), the length of what follows (four bytes, big-endian), and that many
//! bytes. The node says hello with the fingerprints of its engines, and the process answers that it is ready or refuses;
//! from then on each component is answered once. The kinds of the two sides differ, so that a program that only repeats
//! what it reads is no compile process. Both sides are the same executable: a frame of another version is refused.

use cumulet_engine::{EngineClass, Fingerprints};
use thiserror::Error;

/// The version of these frames.
const VERSION: u8 = 1;
/// What stands before the content of a frame, in bytes.
pub(super) const PREFIX_BYTES: usize = 6;
/// A fingerprint, in bytes.
const FINGERPRINT_BYTES: usize = 16;
/// The largest component with its class, in bytes: the artifact store reads none that is larger, and a snapshot adds to it.
const COMPONENT_BYTES_MAX: usize = (256 << 20) + GAIN_BYTES_MAX + 1;
/// What a component may gain by its snapshot, in bytes: a little more than the engine allows.
const GAIN_BYTES_MAX: usize = 96 << 20;
/// The largest compiled file, in bytes: a component becomes up to three times its size, and seldom is all code.
const CODE_BYTES_MAX: usize = 1 << 30;
/// The longest text, in bytes. What is longer is cut.
pub(super) const TEXT_BYTES_MAX: usize = 8 << 10;

/// What a frame is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// The node's first frame: the fingerprint of each class.
    Hello = 1,
    /// A class and a component.
    Compile = 2,
    /// A component that is to be initialised.
    Snapshot = 3,
    /// The process compiles for this node.
    Ready = 65,
    /// A compiled file.
    Compiled = 66,
    /// The component does not compile: a text for its owner.
    Invalid = 67,
    /// The component needs more memory than there is.
    Exhausted = 68,
    /// The process does not work for this node: a text for the operator.
    Refused = 69,
    /// A component as its initialiser left it.
    Taken = 70,
    /// No snapshot can be taken of the component: a text for its owner.
    Unfit = 71,
    /// The initialiser did not do its work: a text for its owner.
    Uninitialised = 72,
}

/// What is said before the content of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) kind: Kind,
    /// Bytes of the content.
    pub(super) length: usize,
}

/// Bytes that are no frame, or a frame out of place.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The frame is of another version.
    #[error("a frame of version {0} instead of {VERSION}")]
    Version(u8),
    /// There is no such kind.
    #[error("a frame of the unknown kind {0}")]
    Kind(u8),
    /// The frame is longer than its kind can be.
    #[error("a frame {kind} of {bytes} bytes")]
    Length {
        /// Its kind.
        kind: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// The content is not what its kind says.
    #[error("a frame {0} with the wrong content")]
    Content(&'static str),
    /// A frame that does not belong here.
    #[error("a frame {0} where another belongs")]
    Unexpected(&'static str),
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Hello,
        Self::Compile,
        Self::Snapshot,
        Self::Ready,
        Self::Compiled,
        Self::Invalid,
        Self::Exhausted,
        Self::Refused,
        Self::Taken,
        Self::Unfit,
        Self::Uninitialised,
    ];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Compile => "compile",
            Self::Snapshot => "snapshot",
            Self::Ready => "ready",
            Self::Compiled => "compiled",
            Self::Invalid => "invalid",
            Self::Exhausted => "exhausted",
            Self::Refused => "refused",
            Self::Taken => "taken",
            Self::Unfit => "unfit",
            Self::Uninitialised => "uninitialised",
        }
    }

    /// Whether a frame of this other kind does what this one asks for.
    pub(super) const fn is_answered_by(self, answer: Self) -> bool {
        matches!((self, answer), (Self::Compile, Self::Compiled) | (Self::Snapshot, Self::Taken | Self::Unfit))
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::Hello => FINGERPRINT_BYTES * EngineClass::ALL.len(),
            Self::Compile | Self::Snapshot | Self::Taken => COMPONENT_BYTES_MAX,
            Self::Compiled => CODE_BYTES_MAX,
            Self::Invalid | Self::Refused | Self::Unfit | Self::Uninitialised => TEXT_BYTES_MAX,
            Self::Ready | Self::Exhausted => 0,
        }
    }
}

impl Prefix {
    /// The prefix of a frame with this content.
    ///
    /// # Errors
    /// When the content is longer than its kind can be.
    pub(super) fn new(kind: Kind, length: usize) -> Result<Self, FrameError> {
        if length <= kind.bytes_max() {
            Ok(Self { kind, length })
        } else {
            Err(FrameError::Length { kind: kind.label(), bytes: length })
        }
    }

    pub(super) fn encode(self) -> [u8; PREFIX_BYTES] {
        // `new` has held it against bounds that fit.
        let [a, b, c, d] = u32::try_from(self.length).unwrap_or(u32::MAX).to_be_bytes();
        [VERSION, self.kind as u8, a, b, c, d]
    }

    pub(super) fn decode(bytes: [u8; PREFIX_BYTES]) -> Result<Self, FrameError> {
        let [version, kind, length @ ..] = bytes;
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let kind = Kind::ALL.into_iter().find(|known| *known as u8 == kind).ok_or(FrameError::Kind(kind))?;
        Self::new(kind, usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX))
    }
}

/// The content of a hello: the fingerprint of each class, in their order.
pub(super) fn hello(fingerprints: &Fingerprints) -> Vec<u8> {
    EngineClass::ALL.into_iter().flat_map(|class| fingerprints.get(class).bytes()).collect()
}

/// The number of a class in a frame that asks to compile.
pub(super) const fn class_code(class: EngineClass) -> u8 {
    match class {
        EngineClass::Plain => 1,
        EngineClass::Async => 2,
        EngineClass::Large => 3,
    }
}

/// The class and the component in the content of a frame that asks to compile.
pub(super) fn read_compile(content: &[u8]) -> Result<(EngineClass, &[u8]), FrameError> {
    let wrong = FrameError::Content(Kind::Compile.label());
    let Some((code, component)) = content.split_first() else { return Err(wrong) };
    let class = EngineClass::ALL.into_iter().find(|class| class_code(*class) == *code);
    class.map(|class| (class, component)).ok_or(wrong)
}

/// The longest beginning of a text that fits a frame.
pub(super) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_has_its_bytes() {
        let check = |kind, length, bytes: [u8; PREFIX_BYTES]| {
            let prefix = Prefix::new(kind, length).unwrap();
            assert_eq!(prefix.encode(), bytes, "{kind:?}");
            assert_eq!(Prefix::decode(bytes).unwrap(), prefix);
        };
        check(Kind::Hello, 48, [1, 1, 0, 0, 0, 48]);
        check(Kind::Compile, 65_537, [1, 2, 0, 1, 0, 1]);
        check(Kind::Ready, 0, [1, 65, 0, 0, 0, 0]);
        check(Kind::Compiled, 1 << 24, [1, 66, 1, 0, 0, 0]);
        check(Kind::Invalid, 300, [1, 67, 0, 0, 1, 44]);
        check(Kind::Exhausted, 0, [1, 68, 0, 0, 0, 0]);
        check(Kind::Refused, 1, [1, 69, 0, 0, 0, 1]);
        check(Kind::Snapshot, 8, [1, 3, 0, 0, 0, 8]);
        check(Kind::Taken, 1 << 16, [1, 70, 0, 1, 0, 0]);
        check(Kind::Unfit, 2, [1, 71, 0, 0, 0, 2]);
        check(Kind::Uninitialised, 3, [1, 72, 0, 0, 0, 3]);
    }

    #[test]
    fn what_is_no_frame_is_refused_by_its_prefix() {
        let check = |bytes, text: &str| assert_eq!(Prefix::decode(bytes).unwrap_err().to_string(), text);
        check([2, 1, 0, 0, 0, 0], "a frame of version 2 instead of 1");
        check([1, 4, 0, 0, 0, 0], "a frame of the unknown kind 4");
        check([1, 65, 0, 0, 0, 1], "a frame ready of 1 bytes");
        check([1, 66, 255, 255, 255, 255], "a frame compiled of 4294967295 bytes");
        check(*b"HTTP/1", "a frame of version 72 instead of 1");
    }

    #[test]
    fn a_component_comes_with_its_class() {
        for class in EngineClass::ALL {
            let content = [&[class_code(class)], &b"\0asm"[..]].concat();
            assert_eq!(read_compile(&content).unwrap(), (class, &b"\0asm"[..]));
        }
        for bad in [&b""[..], b"\0", b"\x04\0asm"] {
            assert!(read_compile(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = "é".repeat(TEXT_BYTES_MAX);
        assert_eq!(cut(&long).len(), TEXT_BYTES_MAX);
        assert_eq!(cut(&format!("x{long}")).len(), TEXT_BYTES_MAX - 1);
    }
}
