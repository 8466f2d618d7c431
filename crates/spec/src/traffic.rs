//! Which revisions of an app answer, and for which share of its requests.

mod choose;
mod cookie;
mod header;
mod percent;
mod share;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::Digest;

pub use choose::TRAFFIC_POINTS;
pub use cookie::{COOKIE_BYTES_MAX, CookieName, CookieNameError, Sticky};
pub use header::{HEADER_NAME_BYTES_MAX, HEADER_VALUE_BYTES_MAX, HeaderRule, HeaderRuleError};
pub use percent::{Percent, PercentError};

/// The most revisions that share the requests of an app.
pub const ARMS_MAX: usize = 8;
/// The most header rules of an app.
pub const HEADER_RULES_MAX: usize = 8;

/// Which revisions of an app answer: shares that add up to 100 percent, and before them rules by header.
///
/// A value of this type has passed every check, also one that was read from its written form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Traffic {
    arms: Vec<Arm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<HeaderRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sticky: Option<Sticky>,
}

/// A revision with its share of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The revision.
    pub revision: Digest,
    /// Its share of the requests that no header rule takes.
    pub percent: Percent,
}

/// The revisions and rules cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrafficError {
    /// Nothing would answer.
    #[error("no revision gets any traffic; give one of them a percentage")]
    NoArm,
    /// Too many revisions share.
    #[error("{found} revisions share the traffic, and at most {ARMS_MAX} can; leave out {}", found - ARMS_MAX)]
    TooManyArms {
        /// How many there are.
        found: usize,
    },
    /// A revision is named twice.
    #[error("revision {} has two percentages; give it one", revision.short())]
    Twice {
        /// The revision.
        revision: Digest,
    },
    /// The shares are not the whole.
    #[error("the percentages add up to {found}, not to 100; change one of them by {}", found.abs_diff(100))]
    Sum {
        /// What they add up to.
        found: u32,
    },
    /// Too many rules.
    #[error("there are {found} header rules, and at most {HEADER_RULES_MAX} can be; leave out {}", found - HEADER_RULES_MAX)]
    TooManyRules {
        /// How many there are.
        found: usize,
    },
    /// Two rules want the same requests.
    #[error("two rules are for `{name}: {value}`; leave out one of them")]
    SameRule {
        /// The header.
        name: String,
        /// Its value.
        value: String,
    },
}

impl Traffic {
    /// Takes revisions with their shares, the rules before them, and whether a client stays with its revision.
    ///
    /// # Errors
    /// When there are none or too many, one is named twice, or the shares do not add up to 100.
    pub fn new(arms: Vec<Arm>, headers: Vec<HeaderRule>, sticky: Option<Sticky>) -> Result<Self, TrafficError> {
        check_arms(&arms)?;
        check_headers(&headers)?;
        Ok(Self { arms, headers, sticky })
    }

    /// Every request to one revision.
    #[must_use]
    pub fn all(revision: Digest) -> Self {
        Self { arms: vec![Arm { revision, percent: Percent::ALL }], headers: Vec::new(), sticky: None }
    }

    /// The revisions with their shares, at least one.
    #[must_use]
    pub fn arms(&self) -> &[Arm] {
        &self.arms
    }

    /// The rules, of which the first that fits decides before any share does.
    #[must_use]
    pub fn headers(&self) -> &[HeaderRule] {
        &self.headers
    }

    /// Whether a client stays with the revision that it got first.
    #[must_use]
    pub fn sticky(&self) -> Option<&Sticky> {
        self.sticky.as_ref()
    }

    /// Every revision that a request can be led to, by a share or by a rule.
    #[must_use]
    pub fn revisions(&self) -> BTreeSet<Digest> {
        let ruled = self.headers.iter().map(HeaderRule::revision);
        self.arms.iter().map(|arm| arm.revision).chain(ruled).collect()
    }

    /// The share of a revision; none where only a rule leads to it, or nothing does.
    #[must_use]
    pub fn percent(&self, revision: &Digest) -> Option<Percent> {
        self.arms.iter().find(|arm| arm.revision == *revision).map(|arm| arm.percent)
    }

    /// The only revision that answers, if there is one: a single arm, and no rule that leads elsewhere.
    #[must_use]
    pub fn only(&self) -> Option<&Digest> {
        match self.arms.as_slice() {
            [arm] if self.headers.iter().all(|rule| rule.revision() == arm.revision) => Some(&arm.revision),
            _ => None,
        }
    }
}

fn check_arms(arms: &[Arm]) -> Result<(), TrafficError> {
    if arms.is_empty() {
        return Err(TrafficError::NoArm);
    }
    if arms.len() > ARMS_MAX {
        return Err(TrafficError::TooManyArms { found: arms.len() });
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = arms.iter().find(|arm| !seen.insert(arm.revision)) {
        return Err(TrafficError::Twice { revision: twice.revision });
    }
    match arms.iter().map(|arm| u32::from(arm.percent.get())).sum() {
        100 => Ok(()),
        found => Err(TrafficError::Sum { found }),
    }
}

fn check_headers(rules: &[HeaderRule]) -> Result<(), TrafficError> {
    if rules.len() > HEADER_RULES_MAX {
        return Err(TrafficError::TooManyRules { found: rules.len() });
    }
    let mut seen = BTreeSet::new();
    let twice = rules.iter().find(|rule| !seen.insert((rule.name().as_str(), rule.value())));
    twice.map_or(Ok(()), |rule| {
        Err(TrafficError::SameRule { name: rule.name().to_string(), value: rule.value().to_owned() })
    })
}

/// What is read; the checks turn it into a [`Traffic`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    arms: Vec<Arm>,
    #[serde(default)]
    headers: Vec<HeaderRule>,
    #[serde(default)]
    sticky: Option<Sticky>,
}

impl TryFrom<Written> for Traffic {
    type Error = TrafficError;

    fn try_from(written: Written) -> Result<Self, TrafficError> {
        Self::new(written.arms, written.headers, written.sticky)
    }
}

#[cfg(test)]
mod tests;
