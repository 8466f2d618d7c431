//! The request by which a new revision shows that it works, before anybody else reaches it.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::checked_text::checked_text;
use crate::quantity::{duration_text, format_duration, parse_duration};

/// The longest path of a probe, in bytes.
pub const PROBE_PATH_BYTES_MAX: usize = 1_024;
/// The most kinds of status that a probe takes for an answer.
pub const PROBE_STATUS_MAX: usize = 16;

checked_text!(
    /// What a probe asks for: a path, with a query or without, in visible ASCII; at most 1,024 bytes.
    ProbePath,
    /// The text is not a path.
    ProbePathError = "not a path to probe: it starts with `/`, holds visible ASCII and no `#`, and has at most 1024 bytes, for example `/healthz`",
    is_probe_path
);

fn is_probe_path(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    text.starts_with('/') && text.len() <= PROBE_PATH_BYTES_MAX && text.bytes().all(is_known)
}

impl Default for ProbePath {
    fn default() -> Self {
        Self("/".into())
    }
}

/// `[app.probe]`: what is asked, and what counts as an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Probe {
    /// The path.
    pub path: ProbePath,
    /// The method.
    pub method: ProbeMethod,
    /// Which statuses are good; when there are none, all below 500.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "read_status")]
    pub status: Vec<ProbeStatus>,
    /// How long the answer may take, within [`Probe::TIMEOUTS`].
    #[serde(serialize_with = "duration_text::serialize", deserialize_with = "read_timeout")]
    pub timeout: Duration,
}

/// The method of a probe: those that change nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProbeMethod {
    /// `GET`.
    #[default]
    Get,
    /// `HEAD`.
    Head,
}

/// A status that is good, or all of a class: `204`, `2xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProbeStatus {
    /// One status, from 100 to 599.
    Code(u16),
    /// Those that start with a digit, from 1 to 5.
    Class(u16),
}

/// The text is not a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a status: write one from 100 to 599, or a class, for example `204` or `2xx`")]
pub struct ProbeStatusError {
    /// The text that was given.
    pub found: String,
}

impl Probe {
    /// How long a probe can be told to wait.
    pub const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);

    /// Whether an answer with this status is a good one.
    #[must_use]
    pub fn accepts(&self, status: u16) -> bool {
        if self.status.is_empty() { status < 500 } else { self.status.iter().any(|good| good.matches(status)) }
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            path: ProbePath::default(),
            method: ProbeMethod::default(),
            status: Vec::new(),
            timeout: Duration::from_secs(5),
        }
    }
}

impl ProbeMethod {
    /// The method as the protocol has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
        }
    }
}

impl ProbeStatus {
    /// Takes one status.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn code(code: u16) -> Result<Self, ProbeStatusError> {
        let found = (100..600).contains(&code).then_some(Self::Code(code));
        found.ok_or_else(|| ProbeStatusError { found: code.to_string() })
    }

    /// Whether a status is this one, or of this class.
    #[must_use]
    pub const fn matches(self, status: u16) -> bool {
        match self {
            Self::Code(code) => status == code,
            Self::Class(class) => status / 100 == class,
        }
    }
}

impl fmt::Display for ProbeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

impl FromStr for ProbeStatus {
    type Err = ProbeStatusError;

    fn from_str(text: &str) -> Result<Self, ProbeStatusError> {
        let fault = || ProbeStatusError { found: text.to_owned() };
        let number = |digits: &str| digits.parse::<u16>().ok();
        match text.strip_suffix("xx") {
            Some(class @ ("1" | "2" | "3" | "4" | "5")) => number(class).map(Self::Class).ok_or_else(fault),
            Some(_) => Err(fault()),
            None if text.len() == 3 => number(text).and_then(|code| Self::code(code).ok()).ok_or_else(fault),
            None => Err(fault()),
        }
    }
}

impl TryFrom<String> for ProbeStatus {
    type Error = ProbeStatusError;

    fn try_from(text: String) -> Result<Self, ProbeStatusError> {
        text.parse()
    }
}

impl From<ProbeStatus> for String {
    fn from(status: ProbeStatus) -> Self {
        status.to_string()
    }
}

/// Reads a length of time that is within these.
pub(crate) fn read_bounded<'de, D: Deserializer<'de>>(
    deserializer: D,
    bounds: &RangeInclusive<Duration>,
) -> Result<Duration, D::Error> {
    let time = parse_duration(&String::deserialize(deserializer)?).map_err(de::Error::custom)?;
    if bounds.contains(&time) {
        return Ok(time);
    }
    let (least, most) = (format_duration(*bounds.start()), format_duration(*bounds.end()));
    Err(de::Error::custom(format!("must be from {least} to {most}")))
}

fn read_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    read_bounded(deserializer, &Probe::TIMEOUTS)
}

fn read_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ProbeStatus>, D::Error> {
    let status = Vec::<ProbeStatus>::deserialize(deserializer)?;
    if status.len() <= PROBE_STATUS_MAX {
        return Ok(status);
    }
    Err(de::Error::custom(format!("a probe names at most {PROBE_STATUS_MAX} statuses")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_number_or_a_class() {
        for (text, expect) in [("204", ProbeStatus::Code(204)), ("2xx", ProbeStatus::Class(2))] {
            assert_eq!(text.parse(), Ok(expect));
            assert_eq!(expect.to_string(), text);
        }
        for bad in ["", "2", "20", "2000", "099", "600", "0xx", "6xx", "xx", "2XX", "+20", "22xx", "2x"] {
            assert!(bad.parse::<ProbeStatus>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn without_a_status_anything_below_500_is_good() {
        let with = |status| Probe { status, ..Probe::default() };
        let check = |probe: &Probe, good: &[u16], bad: &[u16]| {
            assert!(good.iter().all(|status| probe.accepts(*status)), "{probe:?}");
            assert!(!bad.iter().any(|status| probe.accepts(*status)), "{probe:?}");
        };
        check(&with(Vec::new()), &[200, 301, 404, 499], &[500, 503]);
        check(&with(vec![ProbeStatus::Class(2), ProbeStatus::Code(301)]), &[200, 299, 301], &[300, 302, 404, 500]);
    }

    #[test]
    fn the_written_form_comes_back_and_is_checked() {
        let probe = Probe { status: vec![ProbeStatus::Class(2)], ..Probe::default() };
        let json = serde_json::to_string(&probe).unwrap();
        assert_eq!(json, r#"{"path":"/","method":"GET","status":["2xx"],"timeout":"5s"}"#);
        assert_eq!(serde_json::from_str::<Probe>(&json).unwrap(), probe);
        assert_eq!(serde_json::from_str::<Probe>("{}").unwrap(), Probe::default());
        for bad in [r#"{"path":"x"}"#, r#"{"timeout":"0s"}"#, r#"{"timeout":"61s"}"#, r#"{"statu":[]}"#] {
            assert!(serde_json::from_str::<Probe>(bad).is_err(), "{bad}");
        }
    }
}
