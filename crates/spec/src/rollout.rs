//! The bounds within which a new revision must stay to be kept.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::probe::read_bounded;
use crate::quantity::{duration_text, format_duration};
use crate::traffic::Percent;

/// `[app.rollout]`: a revision that passes one of these is taken back by the node itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rollout {
    /// The largest share of its requests that may end in a status of 500 or above, or in a trap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Percent>,
    /// The longest that 99 of 100 requests may take, within [`Rollout::P99S`].
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_some", deserialize_with = "read_p99")]
    pub p99: Option<Duration>,
    /// Over how long a time it is judged, within [`Rollout::WINDOWS`].
    #[serde(serialize_with = "duration_text::serialize", deserialize_with = "read_window")]
    pub window: Duration,
    /// The least requests within that time before it is judged; from 1 to [`Rollout::REQUESTS_MAX`].
    #[serde(deserialize_with = "read_requests")]
    pub requests: u32,
}

impl Rollout {
    /// What can bound the time of requests.
    pub const P99S: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60 * 60);
    /// What can be a window.
    pub const WINDOWS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);
    /// The most requests that can be waited for.
    pub const REQUESTS_MAX: u32 = 1_000_000;
}

impl Default for Rollout {
    fn default() -> Self {
        Self { errors: None, p99: None, window: Duration::from_secs(60), requests: 20 }
    }
}

/// How the trial of a revision with such bounds stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trial {
    /// Its requests are counted.
    Open,
    /// It stayed within its bounds.
    Kept,
    /// It passed one, and requests go where they went before.
    TakenBack {
        /// Which, and by how much: on one line.
        why: String,
    },
}

fn write_some<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(&time.map(format_duration))
}

fn read_p99<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    read_bounded(deserializer, &Rollout::P99S).map(Some)
}

fn read_window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    read_bounded(deserializer, &Rollout::WINDOWS)
}

fn read_requests<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let requests = u32::deserialize(deserializer)?;
    if (1..=Rollout::REQUESTS_MAX).contains(&requests) {
        return Ok(requests);
    }
    Err(de::Error::custom(format!("must be from 1 to {}", Rollout::REQUESTS_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_form_comes_back_and_is_checked() {
        let rollout = Rollout {
            errors: Some(Percent::new(5).unwrap()),
            p99: Some(Duration::from_millis(250)),
            ..Rollout::default()
        };
        let json = serde_json::to_string(&rollout).unwrap();
        assert_eq!(json, r#"{"errors":5,"p99":"250ms","window":"1m","requests":20}"#);
        assert_eq!(serde_json::from_str::<Rollout>(&json).unwrap(), rollout);
        assert_eq!(serde_json::from_str::<Rollout>("{}").unwrap(), Rollout::default());
        for bad in [r#"{"errors":0}"#, r#"{"p99":"0s"}"#, r#"{"window":"2h"}"#, r#"{"requests":0}"#, r#"{"reqests":1}"#]
        {
            assert!(serde_json::from_str::<Rollout>(bad).is_err(), "{bad}");
        }
    }
}
