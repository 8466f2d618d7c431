//! Events on their way to the logs of their apps.

use super::{Invoked, Place, Printed};
use crate::clock::{Calendar, Moment};
use crate::logs::{Content, EndedInvocation, Entry, IDLE_TIME, Shelf, Source, TEXT_BYTES_MAX};
use cumulet_spec::id::{AppId, RequestId};
use http::uri::PathAndQuery;
use std::time::Duration;

/// How long entries may gather before they are written.
const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// Turns events into entries of the logs of their apps.
#[derive(Debug)]
pub(crate) struct Journal {
    shelf: Shelf,
    calendar: Calendar,
    flushed: Option<Moment>,
}

impl Journal {
    pub(crate) fn new(shelf: Shelf, calendar: Calendar) -> Self {
        Self { shelf, calendar, flushed: None }
    }

    /// Whole lines that a guest printed.
    pub(super) fn printed(&mut self, printed: &Printed, now: Moment) {
        let lines = printed.bytes.strip_suffix(b"\n").unwrap_or(&printed.bytes);
        for line in lines.split(|byte| *byte == b'\n') {
            let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
            loop {
                let (text, more) = rest.split_at(piece_length(rest));
                self.add(&printed.place, &printed.id, Content::Output { channel: printed.channel, text }, now);
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }

    pub(super) fn invoked(&mut self, invoked: &Invoked, now: Moment) {
        let usage = &invoked.usage;
        let ended = EndedInvocation {
            started_us: self.calendar.micros(invoked.started),
            status: invoked.status,
            outcome: invoked.outcome,
            method: invoked.method.as_str(),
            path: invoked.path.as_ref().map_or("*", PathAndQuery::path),
            quantities: [usage.wall_us, usage.executed_us, usage.memory_peak_bytes, usage.bytes_in, usage.bytes_out],
            detail: invoked.detail.as_deref(),
        };
        self.add(&invoked.target.place, &invoked.id, Content::Invocation(&ended), now);
    }

    /// Output and events of an app that were dropped before they came here.
    pub(super) fn dropped(&mut self, app: &AppId, pieces: u64, now: Moment) {
        let entry = Entry { time_us: self.calendar.micros(now), source: None, content: Content::Dropped { pieces } };
        self.shelf.add(app, &entry, now);
    }

    /// Writes what has gathered for long enough.
    pub(super) fn flush_in_time(&mut self, now: Moment) {
        let since = *self.flushed.get_or_insert(now);
        if now.saturating_duration_since(since) >= FLUSH_EVERY {
            self.flush(now);
        }
    }

    /// Writes everything.
    pub(super) fn flush(&mut self, now: Moment) {
        self.shelf.flush(now);
        self.flushed = None;
    }

    /// Closes what is idle. Returns after how long that is worth another look, if it is.
    pub(super) fn rest(&mut self, now: Moment) -> Option<Duration> {
        self.shelf.rest(now).then_some(IDLE_TIME)
    }

    fn add(&mut self, place: &Place, request: &RequestId, content: Content<'_>, now: Moment) {
        let source = Source { request, component: place.component.as_str(), revision: &place.revision };
        let entry = Entry { time_us: self.calendar.micros(now), source: Some(source), content };
        self.shelf.add(&place.app, &entry, now);
    }
}

/// How much of a line goes into one entry: a character is not cut in two.
fn piece_length(line: &[u8]) -> usize {
    let continues = |at: &usize| line.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let most = line.len().min(TEXT_BYTES_MAX);
    (most.saturating_sub(3)..=most).rev().find(|at| !continues(at)).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let check = |line: &[u8], length| assert_eq!(piece_length(line), length);
        check(b"", 0);
        check(b"short", 5);
        check(&[b'x'; TEXT_BYTES_MAX], TEXT_BYTES_MAX);
        check(&[b'x'; TEXT_BYTES_MAX + 1], TEXT_BYTES_MAX);
        check(&[&[b'x'; TEXT_BYTES_MAX - 1][..], "\u{20ac}".as_bytes()].concat(), TEXT_BYTES_MAX - 1);
        check(&[&[b'x'; TEXT_BYTES_MAX - 3][..], "\u{20ac}".as_bytes()].concat(), TEXT_BYTES_MAX);
        check(&[0x80; TEXT_BYTES_MAX + 9], TEXT_BYTES_MAX);
    }
}
