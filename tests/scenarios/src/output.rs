//! What the binary prints: its lines as they come, and the events among them.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::PATIENCE;

/// The lines of one stream, collected by a thread of their own.
#[derive(Debug, Clone, Default)]
pub struct Output {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

impl Output {
    /// Collects `stream` until it ends.
    #[must_use]
    pub fn collect(stream: impl Read + Send + 'static) -> Self {
        let output = Self::default();
        let shared = Arc::clone(&output.shared);
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                shared.update(|state| state.lines.push(String::from_utf8_lossy(&line).into_owned()));
            }
            shared.update(|state| state.ended = true);
        });
        output
    }

    /// Waits for a line that `find` makes something of.
    ///
    /// # Errors
    /// When the stream ended or patience did; the message holds all lines so far.
    pub fn wait_for<T>(&self, what: &str, find: impl FnMut(&str) -> Option<T>) -> anyhow::Result<T> {
        self.wait_within(PATIENCE, what, find)
    }

    /// The same, with a patience of one's own.
    ///
    /// # Errors
    /// As for [`wait_for`](Self::wait_for).
    pub fn wait_within<T>(
        &self,
        patience: Duration,
        what: &str,
        mut find: impl FnMut(&str) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut seen = 0;
        let mut found = None;
        let guard = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(guard, patience, |state| {
                found = state.lines.iter().skip(seen).find_map(|line| find(line));
                seen = state.lines.len();
                found.is_none() && !state.ended
            })
            .unwrap_or_else(PoisonError::into_inner);
        found.with_context(|| format!("no {what} among:\n{}", state.lines.join("\n")))
    }

    /// All lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }

    /// Waits until the stream has ended and returns all of it.
    ///
    /// # Errors
    /// When patience ends before.
    pub fn to_the_end(&self) -> anyhow::Result<Vec<String>> {
        let guard = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(guard, PATIENCE, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        ensure!(state.ended, "the stream does not end; so far:\n{}", state.lines.join("\n"));
        Ok(state.lines.clone())
    }
}

impl Shared {
    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// The event on `line` if it is a JSON object.
#[must_use]
pub fn event(line: &str) -> Option<Value> {
    serde_json::from_str::<Value>(line).ok().filter(Value::is_object)
}

/// The text in `field` of `event`.
#[must_use]
pub fn text<'a>(event: &'a Value, field: &str) -> Option<&'a str> {
    event.get(field)?.as_str()
}
