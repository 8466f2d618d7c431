//! Entries as the API and the command line say them.

use super::query::Page;
use super::record::{LogContent, LogRecord, LoggedInvocation};
use crate::usage::rfc3339;
use cumulet_capability::Channel;
use cumulet_spec::api::{LogEntry, LogEvent, LogInvocation, LogPage, LogStream};

impl LogRecord {
    /// The entry in the one form that everybody outside sees.
    #[must_use]
    pub fn view(&self) -> LogEntry {
        let source = self.source.as_ref();
        LogEntry {
            time: rfc3339(self.time_us),
            request_id: source.map(|source| source.request),
            component: source.map(|source| source.component.clone()),
            revision: source.map(|source| source.revision.clone()),
            event: match &self.content {
                LogContent::Output { channel, text } => {
                    let stream = match channel {
                        Channel::Stdout => LogStream::Stdout,
                        Channel::Stderr => LogStream::Stderr,
                    };
                    LogEvent::Output { stream, text: text.clone() }
                }
                LogContent::Invocation(ended) => LogEvent::Invocation(Box::new(ended.view())),
                LogContent::Dropped { pieces } => LogEvent::Dropped { pieces: *pieces },
            },
        }
    }
}

impl LoggedInvocation {
    fn view(&self) -> LogInvocation {
        LogInvocation {
            started: rfc3339(self.started_us),
            method: self.method.clone(),
            path: self.path.clone(),
            status: self.status,
            outcome: self.outcome,
            wall_us: self.wall_us,
            executed_us: self.executed_us,
            memory_peak_bytes: self.memory_peak_bytes,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            detail: self.detail.clone(),
        }
    }
}

impl Page {
    /// The same for whoever may not know where files lie: notes call them by their names alone.
    #[must_use]
    pub fn view(&self) -> LogPage {
        let note = |error: &super::LogError| {
            let name = error.path.file_name().unwrap_or_default().to_string_lossy();
            format!("{name}: {}", error.kind)
        };
        LogPage {
            items: self.records.iter().map(LogRecord::view).collect(),
            cursor: self.cursor.map(|cursor| cursor.to_string()),
            is_end: self.is_end,
            is_gap: self.is_gap,
            notes: self.notes.iter().map(note).collect(),
        }
    }
}
