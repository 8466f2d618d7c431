//! What an app printed and how its invocations ended, entry by entry.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{ComponentName, RequestId};
use crate::outcome::Outcome;

/// The longest that a node waits for entries, in seconds.
pub const LOG_WAIT_S_MAX: u64 = 30;

/// Entries of an app's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// The entries, the oldest first.
    pub items: Vec<LogEntry>,
    /// What to send as `after` for what follows; absent while there is no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Whether the log ends here for now. Where it does not, there is more behind the cursor, also when these are no entries.
    pub is_end: bool,
    /// Whether entries before these are missing: they were removed to make room.
    pub is_gap: bool,
    /// What could not be read, and was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One entry of an app's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// When it was written, in RFC 3339.
    pub time: String,
    /// The request that it belongs to; absent where it is a remark on the log itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub request_id: Option<RequestId>,
    /// The component that answered the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub component: Option<ComponentName>,
    /// The first digits of the component's revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum LogEvent {
    /// A guest printed a line.
    Output {
        /// Where to.
        stream: LogStream,
        /// The line, without its end; control characters are in it.
        text: String,
    },
    /// An invocation ended.
    Invocation(Box<LogInvocation>),
    /// Output or events are missing here: there were more of them than could be written.
    Dropped {
        /// How many pieces of output and events.
        pieces: u64,
    },
}

/// Where a guest prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// An invocation that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogInvocation {
    /// When it was admitted, in RFC 3339.
    pub started: String,
    /// The request's method.
    pub method: String,
    /// The request's path, without its query; control characters may be in it.
    pub path: String,
    /// The status that the client was given.
    pub status: u16,
    /// How it ended.
    #[schema(value_type = String, example = "ok")]
    pub outcome: Outcome,
    /// Time on the clock, in microseconds.
    pub wall_us: u64,
    /// Executed time, in microseconds.
    pub executed_us: u64,
    /// The most memory that it had, in bytes.
    pub memory_peak_bytes: u64,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the response's body.
    pub bytes_out: u64,
    /// What went wrong beyond the outcome, such as where it trapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl LogStream {
    /// The name in JSON and in text.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(event: LogEvent) -> LogEntry {
        LogEntry {
            time: "2026-11-21T12:00:00Z".to_owned(),
            request_id: RequestId::parse(b"req-1"),
            component: ComponentName::parse("front").ok(),
            revision: Some("0123456789ab".to_owned()),
            event,
        }
    }

    #[test]
    fn the_written_form_is_flat_and_comes_back() {
        let ended = LogInvocation {
            started: "2026-11-21T11:59:59.998958Z".to_owned(),
            method: "GET".to_owned(),
            path: "/cart".to_owned(),
            status: 500,
            outcome: Outcome::Trap,
            wall_us: 1_042,
            executed_us: 61,
            memory_peak_bytes: u64::MAX,
            bytes_in: 10,
            bytes_out: 1_500,
            detail: Some("unreachable\nat cart".to_owned()),
        };
        let items = vec![
            entry(LogEvent::Output { stream: LogStream::Stderr, text: "\u{1b}[2J €".to_owned() }),
            entry(LogEvent::Invocation(Box::new(ended))),
            LogEntry { request_id: None, component: None, revision: None, ..entry(LogEvent::Dropped { pieces: 12 }) },
        ];
        let page = LogPage { items, cursor: Some("7-1000-660be".to_owned()), is_end: true, ..LogPage::default() };
        let json = serde_json::to_string_pretty(&page).unwrap();
        insta::assert_snapshot!(json);
        assert_eq!(serde_json::from_str::<LogPage>(&json).unwrap(), page);
    }

    #[test]
    fn a_newer_node_may_say_more() {
        let json = r#"{"event":"dropped","time":"2026-11-21T12:00:00Z","pieces":3,"later":[1]}"#;
        let read: LogEntry = serde_json::from_str(json).unwrap();
        assert_eq!(read.event, LogEvent::Dropped { pieces: 3 });
    }
}
