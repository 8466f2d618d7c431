//! Lines that guests have begun and not yet ended.
//!
//! Languages write one line in several pieces, standard error above all; an operator reads lines.

use super::Printed;
use bytes::{Bytes, BytesMut};
use cumulet_capability::Channel;
use cumulet_spec::id::RequestId;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a line that are kept until it ends; a longer one is written in parts.
const LINE_BYTES_MAX: usize = 8 << 10;
/// Invocations whose lines are kept at once; for one more, all that is kept is written. This also ends what belongs to
/// invocations whose end was dropped because the writer was behind.
const INVOCATIONS_MAX: usize = 1_024;

/// What invocations printed after their last line break.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    begun: HashMap<RequestId, Vec<Printed>>,
}

impl Partial {
    /// Adds a piece of output and returns what is to be written now: as a rule the lines that it completes.
    pub(crate) fn add(&mut self, piece: &Printed) -> Vec<Printed> {
        let before = self.take(piece.id, piece.channel);
        let mut bytes = BytesMut::from(before.as_ref());
        bytes.extend_from_slice(&piece.bytes);
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut rest = bytes.split_off(whole);
        if rest.len() > LINE_BYTES_MAX {
            bytes.unsplit(std::mem::take(&mut rest));
        }
        let mut ready = Vec::new();
        if !bytes.is_empty() {
            ready.push(with(piece, bytes.freeze()));
        }
        if !rest.is_empty() {
            if self.begun.len() >= INVOCATIONS_MAX {
                ready.extend(self.begun.drain().flat_map(|(_, lines)| lines));
            }
            self.begun.entry(piece.id).or_default().push(with(piece, rest.freeze()));
        }
        ready
    }

    /// Ends an invocation: what it printed last needs no line break.
    pub(crate) fn end(&mut self, id: RequestId) -> Vec<Printed> {
        self.begun.remove(&id).unwrap_or_default()
    }

    fn take(&mut self, id: RequestId, channel: Channel) -> Bytes {
        let Some(begun) = self.begun.get_mut(&id) else { return Bytes::new() };
        let found = begun.iter().position(|line| line.channel == channel);
        let bytes = found.map(|at| begun.swap_remove(at).bytes).unwrap_or_default();
        if begun.is_empty() {
            self.begun.remove(&id);
        }
        bytes
    }
}

fn with(piece: &Printed, bytes: Bytes) -> Printed {
    Printed { id: piece.id, place: Arc::clone(&piece.place), channel: piece.channel, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventQueue;
    use cumulet_spec::id::Digest;

    fn piece(id: &str, channel: Channel, text: &str) -> Printed {
        let place = EventQueue::new().place("app".parse().unwrap(), "guest".parse().unwrap(), Digest::of(b""));
        Printed {
            id: RequestId::parse(id.as_bytes()).unwrap(),
            place,
            channel,
            bytes: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    #[track_caller]
    fn check(partial: &mut Partial, text: &str, whole: Option<&str>) {
        let added = partial.add(&piece("a", Channel::Stderr, text));
        let added: Vec<_> = added.iter().map(|lines| lines.bytes.as_ref()).collect();
        assert_eq!(added, whole.map(str::as_bytes).into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn pieces_become_lines() {
        let mut partial = Partial::default();
        check(&mut partial, "one ", None);
        check(&mut partial, "line", None);
        check(&mut partial, "\nand more\nand", Some("one line\nand more\n"));
        assert!(partial.add(&piece("a", Channel::Stdout, "other")).is_empty());
        assert!(partial.add(&piece("b", Channel::Stderr, "else")).is_empty());
        let rest: Vec<_> = partial.end(RequestId::parse(b"a").unwrap()).into_iter().map(|line| line.bytes).collect();
        assert_eq!(rest, ["and", "other"]);
        assert!(partial.end(RequestId::parse(b"a").unwrap()).is_empty());
    }

    #[test]
    fn no_more_is_kept_than_the_bound() {
        let mut partial = Partial::default();
        for n in 0..INVOCATIONS_MAX {
            assert!(partial.add(&piece(&format!("id-{n}"), Channel::Stdout, "begun")).is_empty());
        }
        assert_eq!(partial.add(&piece("one-more", Channel::Stdout, "begun")).len(), INVOCATIONS_MAX);
        assert_eq!(partial.begun.len(), 1);
    }

    #[test]
    fn a_line_without_end_is_written_in_parts() {
        let mut partial = Partial::default();
        check(&mut partial, &"x".repeat(LINE_BYTES_MAX), None);
        check(&mut partial, "y", Some(&("x".repeat(LINE_BYTES_MAX) + "y")));
        assert!(partial.begun.is_empty());
    }
}
