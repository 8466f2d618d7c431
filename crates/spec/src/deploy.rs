//! A deploy: what it is called, how far it came, and why it went no further.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::checked_text::{checked_text, is_lower_alphanumeric, lower_alphanumeric};

/// The longest message of a failure, and the longest next step, in bytes; what is longer is cut.
pub const DEPLOY_MESSAGE_BYTES_MAX: usize = 2_048;
/// The length of a deploy's id, in characters.
const DEPLOY_ID_CHARS: usize = 16;

checked_text!(
    /// What a deploy is called: 16 of `[a-z0-9]`, random.
    ///
    /// A number would tell each tenant how much the others deploy, and nodes of a cluster would have to agree on the next.
    DeployId,
    /// The text is not a deploy's id.
    DeployIdError = "not the id of a deploy: 16 of a-z and 0-9",
    is_deploy_id
);

impl DeployId {
    /// The id that stands for these bits, which should be random.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(lower_alphanumeric(bits, DEPLOY_ID_CHARS).into())
    }
}

fn is_deploy_id(text: &str) -> bool {
    is_lower_alphanumeric(text, (DEPLOY_ID_CHARS, DEPLOY_ID_CHARS))
}

/// How far a deploy came. It goes through these in order, and ends as one of the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeployPhase {
    /// The revision is written down.
    Received,
    /// The code of every component is compiled and kept.
    Compiled,
    /// Every component was linked once, against what it is granted.
    Linked,
    /// It answered the probe.
    Probed,
    /// Requests go to it.
    Live,
    /// It was given up. What ran before runs on.
    Failed,
}

impl DeployPhase {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [Self::Received, Self::Compiled, Self::Linked, Self::Probed, Self::Live, Self::Failed];

    /// Its name, as it is written.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Compiled => "compiled",
            Self::Linked => "linked",
            Self::Probed => "probed",
            Self::Live => "live",
            Self::Failed => "failed",
        }
    }

    /// The phase of this name.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.label() == label)
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Live | Self::Failed)
    }
}

impl fmt::Display for DeployPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// Why a deploy was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployFailure {
    /// The phase that it did not reach.
    pub phase: DeployPhase,
    /// What went wrong: for the person who deploys, on one line.
    pub message: String,
    /// What to do about it.
    pub next: String,
}

impl DeployFailure {
    /// A failure with its texts, cut at [`DEPLOY_MESSAGE_BYTES_MAX`].
    #[must_use]
    pub fn new(phase: DeployPhase, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { phase, message: cut(message.into()), next: cut(next.into()) }
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(DEPLOY_MESSAGE_BYTES_MAX));
    text
}

impl fmt::Display for DeployFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_16_characters() {
        for bits in [0, 1, u128::MAX] {
            let id = DeployId::from_bits(bits);
            assert_eq!(DeployId::parse(id.as_str()), Ok(id));
        }
        for bad in ["", "abcdefghijklmno", "abcdefghijklmnopq", "ABCDEFGHIJKLMNOP", "abcdefghijklmno-"] {
            assert!(DeployId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn phases_are_in_order_and_written_as_they_are_called() {
        assert!(DeployPhase::ALL.is_sorted());
        for phase in DeployPhase::ALL {
            assert_eq!(serde_json::to_string(&phase).unwrap(), format!("\"{phase}\""));
            assert_eq!(DeployPhase::of_label(phase.label()), Some(phase));
        }
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        let failure = DeployFailure::new(DeployPhase::Probed, "é".repeat(2_000), "try again");
        assert_eq!(failure.message.len(), DEPLOY_MESSAGE_BYTES_MAX);
        let failure = DeployFailure::new(DeployPhase::Probed, format!("x{}", "é".repeat(2_000)), "try again");
        assert_eq!(failure.message.len(), DEPLOY_MESSAGE_BYTES_MAX - 1);
        assert!(failure.to_string().ends_with("é; try again"));
    }
}
