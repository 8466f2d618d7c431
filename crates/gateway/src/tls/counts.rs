//! How handshakes ended, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeEnd {
    /// HTTP follows.
    Done,
    /// A challenge was answered, and nothing follows.
    Challenge,
    /// What came is not TLS.
    NotTls,
    /// No certificate is for the host that was asked for.
    UnknownName,
    /// The client did not go on: too slow, gone, or more came after it than can be waited for.
    Unfinished,
    /// No common version, a broken message, or the client did not want the certificate.
    Failed,
}

impl HandshakeEnd {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Challenge, Self::NotTls, Self::UnknownName, Self::Unfinished, Self::Failed];

    /// Its name in metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Challenge => "challenge",
            Self::NotTls => "not-tls",
            Self::UnknownName => "unknown-name",
            Self::Unfinished => "unfinished",
            Self::Failed => "failed",
        }
    }
}

/// A count for each end.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; HandshakeEnd::ALL.len()]);

impl Counts {
    pub(super) fn count(&self, end: HandshakeEnd) {
        let of_this = HandshakeEnd::ALL.iter().zip(&self.0).find(|(one, _)| **one == end);
        if let Some((_, count)) = of_this {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> [(HandshakeEnd, u64); HandshakeEnd::ALL.len()] {
        let mut counts = self.0.iter();
        HandshakeEnd::ALL.map(|end| (end, counts.next().map_or(0, |count| count.load(Ordering::Relaxed))))
    }
}
