//! What is asked of a log, and what it answers.

use super::cursor::Cursor;
use super::failure::LogError;
use super::record::{LogContent, LogRecord};
use cumulet_spec::id::{AppId, ComponentName, RequestId};
use cumulet_spec::outcome::Outcome;

/// What is asked of an app's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// Whose log.
    pub app: AppId,
    /// Entries that were written from then on, in microseconds since the Unix epoch.
    pub since_us: Option<u64>,
    /// Entries that were written before then.
    pub until_us: Option<u64>,
    /// Entries of this request.
    pub request: Option<RequestId>,
    /// Ends of invocations with this outcome; what they printed is found by their requests.
    pub outcome: Option<Outcome>,
    /// Entries of this component.
    pub component: Option<ComponentName>,
    /// The most entries of a page, at least 1.
    pub limit: usize,
    /// Entries behind this place; from the oldest on where there is none.
    pub after: Option<Cursor>,
}

/// Entries of an app's log.
#[derive(Debug)]
pub struct Page {
    /// The entries, the oldest first.
    pub records: Vec<LogRecord>,
    /// The place behind what was looked at; `None` while there is no log.
    pub cursor: Option<Cursor>,
    /// Whether the log ends here for now.
    pub is_end: bool,
    /// Whether what followed the cursor that was given has been removed: entries are missing before these.
    pub is_gap: bool,
    /// What could not be read, and was left out: at most one for each segment.
    pub notes: Vec<LogError>,
}

impl LogQuery {
    /// Everything of an app's log, in pages of 1,000 entries.
    #[must_use]
    pub fn all(app: AppId) -> Self {
        Self {
            app,
            since_us: None,
            until_us: None,
            request: None,
            outcome: None,
            component: None,
            limit: 1_000,
            after: None,
        }
    }

    /// Whether an entry is wanted. Remarks on the log itself belong to no request: they are wanted where everything of a
    /// time is.
    #[must_use]
    pub fn wants(&self, record: &LogRecord) -> bool {
        let is_within = self.since_us.is_none_or(|since| record.time_us >= since)
            && self.until_us.is_none_or(|until| record.time_us < until);
        let source = record.source.as_ref();
        let is_asked = self.request.is_none_or(|request| source.is_some_and(|source| source.request == request))
            && self
                .component
                .as_ref()
                .is_none_or(|component| source.is_some_and(|source| source.component == *component));
        let has_outcome = self
            .outcome
            .is_none_or(|outcome| matches!(&record.content, LogContent::Invocation(ended) if ended.outcome == outcome));
        is_within && is_asked && has_outcome
    }
}

impl Page {
    pub(super) fn empty(cursor: Option<Cursor>) -> Self {
        Self { records: Vec::new(), cursor, is_end: false, is_gap: false, notes: Vec::new() }
    }
}
