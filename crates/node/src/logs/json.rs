//! Entries as JSON: one form for the command line and the admin API.

use super::record::{LogContent, LogRecord, LoggedInvocation};
use crate::usage::rfc3339;
use serde_json::{Map, Value, json};

impl LogRecord {
    /// The entry as a JSON object: `event` is `output`, `invocation` or `dropped`. Fields may be added.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        let mut set = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
        let event = match &self.content {
            LogContent::Output { .. } => "output",
            LogContent::Invocation(_) => "invocation",
            LogContent::Dropped { .. } => "dropped",
        };
        set("event", json!(event));
        set("time", json!(rfc3339(self.time_us)));
        if let Some(source) = &self.source {
            set("request_id", json!(source.request.as_str()));
            set("component", json!(source.component.as_str()));
            set("revision", json!(source.revision));
        }
        match &self.content {
            LogContent::Output { channel, text } => {
                set("stream", json!(channel.label()));
                set("text", json!(text));
            }
            LogContent::Invocation(ended) => invocation(ended, set),
            LogContent::Dropped { pieces } => set("pieces", json!(pieces)),
        }
        Value::Object(object)
    }
}

fn invocation(ended: &LoggedInvocation, mut set: impl FnMut(&str, Value)) {
    set("started", json!(rfc3339(ended.started_us)));
    set("method", json!(ended.method));
    set("path", json!(ended.path));
    set("status", json!(ended.status));
    set("outcome", json!(ended.outcome.label()));
    set("wall_us", json!(ended.wall_us));
    set("executed_us", json!(ended.executed_us));
    set("memory_peak_bytes", json!(ended.memory_peak_bytes));
    set("bytes_in", json!(ended.bytes_in));
    set("bytes_out", json!(ended.bytes_out));
    if let Some(detail) = &ended.detail {
        set("detail", json!(detail));
    }
}
