//! What a check came to.

use serde::Serialize;

/// How well something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Active, or enough.
    Ok,
    /// It works, and could be better.
    Weak,
    /// A protection that is relied on is not there, or the node will not work.
    Missing,
    /// The machine does not say.
    Unknown,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// What keeps guests from each other and from the machine.
    Isolation,
    /// How much there may be of everything.
    Limits,
    /// Where data lies.
    Storage,
    /// Sockets, time, trust.
    Network,
}

/// One check, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name, which stays.
    pub check: &'static str,
    /// What it is about.
    pub group: Group,
    /// How well it stands.
    pub state: State,
    /// What is there.
    pub found: String,
    /// Why that matters.
    pub why: &'static str,
    /// What to do about it; nothing where nothing is to be done.
    pub next: Option<String>,
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Weak => "weak",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

impl Group {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Isolation, Self::Limits, Self::Storage, Self::Network];

    /// Its name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Isolation => "isolation",
            Self::Limits => "limits",
            Self::Storage => "storage",
            Self::Network => "network",
        }
    }
}
