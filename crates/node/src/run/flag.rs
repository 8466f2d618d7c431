//! What the flags of `cumulet run` say.

use cumulet_capability::command::NetworkRule;
use cumulet_spec::grant::{FileGrant, HttpOrigin};
use cumulet_spec::quantity::{Bytes, parse_duration};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// A flag's value that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FlagError(String);

impl FlagError {
    fn new(text: impl ToString) -> Self {
        Self(text.to_string())
    }
}

/// `--dir HOST[::GUEST][:ro]`: a folder, under its own name if no other is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFlag(pub FileGrant);

impl FromStr for FolderFlag {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let (text, write) = match text.strip_suffix(":ro") {
            Some(text) => (text, false),
            None => (text, true),
        };
        let (from, at) = text.split_once("::").unwrap_or((text, text));
        if from.is_empty() || at.is_empty() {
            return Err(FlagError::new("write HOST, HOST::GUEST, or either with `:ro` at its end"));
        }
        Ok(Self(FileGrant { from: PathBuf::from(from), at: at.to_owned(), write }))
    }
}

/// `--env NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFlag {
    /// The variable's name.
    pub name: String,
    /// Its value, which may be empty.
    pub value: String,
}

impl FromStr for EnvFlag {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self { name: name.to_owned(), value: value.to_owned() }),
            _ => Err(FlagError::new("write NAME=VALUE")),
        }
    }
}

/// `--grant network=PATTERN` or `--grant http=ORIGIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantFlag {
    /// Sockets.
    Network(NetworkRule),
    /// Outbound HTTP.
    Http(HttpOrigin),
}

impl FromStr for GrantFlag {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        match text.split_once('=') {
            Some(("network", pattern)) => pattern.parse().map(Self::Network).map_err(FlagError::new),
            Some(("http", origin)) => HttpOrigin::parse(origin).map(Self::Http).map_err(FlagError::new),
            _ => Err(FlagError::new("write network=PATTERN, such as network=tcp:db.internal:5432, or http=ORIGIN")),
        }
    }
}

/// `--limit memory=SIZE,cpu=DURATION,time=DURATION`, each of them optional.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitFlag {
    /// All memories and tables together.
    pub memory: Option<Bytes>,
    /// Executed time.
    pub cpu: Option<Duration>,
    /// Wall clock, from the guest's start.
    pub time: Option<Duration>,
}

impl LimitFlag {
    /// Both, what `later` says first.
    #[must_use]
    pub fn or(self, later: Self) -> Self {
        Self { memory: later.memory.or(self.memory), cpu: later.cpu.or(self.cpu), time: later.time.or(self.time) }
    }
}

impl FromStr for LimitFlag {
    type Err = FlagError;

    fn from_str(text: &str) -> Result<Self, FlagError> {
        let mut limits = Self::default();
        for part in text.split(',') {
            match part.split_once('=') {
                Some(("memory", size)) => limits.memory = Some(Bytes::parse(size).map_err(FlagError::new)?),
                Some(("cpu", time)) => limits.cpu = Some(parse_duration(time).map_err(FlagError::new)?),
                Some(("time", time)) => limits.time = Some(parse_duration(time).map_err(FlagError::new)?),
                _ => return Err(FlagError::new("write memory=SIZE, cpu=DURATION or time=DURATION")),
            }
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_folder(text: &str, expect: Option<(&str, &str, bool)>) {
        let folder = text.parse::<FolderFlag>().ok().map(|FolderFlag(folder)| folder);
        let expect = expect.map(|(from, at, write)| FileGrant { from: from.into(), at: at.into(), write });
        assert_eq!(folder, expect, "{text:?}");
    }

    #[test]
    fn folders() {
        check_folder("data", Some(("data", "data", true)));
        check_folder("data:ro", Some(("data", "data", false)));
        check_folder("/srv/data::/data", Some(("/srv/data", "/data", true)));
        check_folder("/srv/data::/data:ro", Some(("/srv/data", "/data", false)));
        check_folder("C:data::/", Some(("C:data", "/", true)));
        check_folder("", None);
        check_folder("::/data", None);
        check_folder("data::", None);
        check_folder(":ro", None);
    }

    #[test]
    fn variables() {
        let variable = |text: &str| text.parse::<EnvFlag>().ok().map(|flag| (flag.name, flag.value));
        assert_eq!(variable("A=b=c"), Some(("A".into(), "b=c".into())));
        assert_eq!(variable("A="), Some(("A".into(), String::new())));
        assert_eq!(variable("=b"), None);
        assert_eq!(variable("A"), None);
    }

    #[test]
    fn grants() {
        assert!(matches!("network=tcp:127.0.0.1:80".parse(), Ok(GrantFlag::Network(_))));
        assert!(matches!("http=https://api.example.com".parse(), Ok(GrantFlag::Http(_))));
        for text in ["", "network", "network=", "http=", "http=example.com", "keyvalue=default", "network=tcp:host"] {
            assert!(text.parse::<GrantFlag>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn limits() {
        let limit: LimitFlag = "memory=64MiB,time=2s".parse().unwrap();
        assert_eq!(limit.memory, Some(Bytes(64 << 20)));
        assert_eq!(limit.time, Some(Duration::from_secs(2)));
        assert_eq!(limit.cpu, None);
        let later = limit.or("time=1s,cpu=10ms".parse().unwrap());
        assert_eq!(later.time, Some(Duration::from_secs(1)));
        assert_eq!(later.memory, limit.memory);
        for text in ["", "memory", "memory=64", "fuel=1", "time=1s,"] {
            assert!(text.parse::<LimitFlag>().is_err(), "{text:?} was accepted");
        }
    }
}
