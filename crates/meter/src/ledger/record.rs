//! The form of a usage record in the ring and in segments: sixteen words.
//!
//! | word | holds |
//! | --- | --- |
//! | 0 | sequence of its lane |
//! | 1 | invocation id |
//! | 2 | subject (bits 0 to 31), outcome (32 to 39), flags (40 to 47), lane (48 to 55) |
//! | 3 to 8 | started (µs), wall (µs), executed (µs), peak memory, bytes in, bytes out |
//! | 9 to 14 | host calls, two capabilities a word, in the order of [`Capability::ALL`] |
//! | 15 | check over the words before; it is written last |
//!
//! In segments the words are little-endian. There is room for two more capabilities; an older version passes over their
//! counts. Anything else that changes is a new format.

use cumulet_spec::grant::Capability;
use cumulet_spec::id::InvocationId;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::{HostCalls, Usage};
use serde::Deserialize as _;
use serde::de::value::{Error as CountError, SeqDeserializer};

use super::subject::SubjectId;

/// Words of a record.
pub(super) const WORDS: usize = 16;
/// Bytes of a record.
pub(super) const RECORD_BYTES: usize = WORDS * size_of::<u64>();
/// Counts of host calls for which there is room.
const CALLS: usize = 12;
/// The bit of a usage that was shared.
const SHARED: u8 = 1;

/// A usage record on its way into the ledger: the subject stands for the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Whom it is about.
    pub subject: SubjectId,
    /// The invocation.
    pub id: InvocationId,
    /// When it was admitted, in microseconds since the Unix epoch.
    pub started_us: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
}

/// Where a record stands in the ring. No two records of a ledger have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The lane of the ring.
    pub lane: u8,
    /// How many records came before it in its lane.
    pub sequence: u64,
}

/// The number of an outcome on disk. It never changes, whatever becomes of the order in which outcomes are listed.
pub(super) const fn outcome_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Ok => 0,
        Outcome::NoRoute => 1,
        Outcome::Trap => 2,
        Outcome::NoResponse => 3,
        Outcome::CpuLimit => 4,
        Outcome::Deadline => 5,
        Outcome::MemoryLimit => 6,
        Outcome::HostLimit => 7,
        Outcome::InstanceLost => 8,
        Outcome::ClientGone => 9,
        Outcome::Quota => 10,
        Outcome::Concurrency => 11,
        Outcome::Shed => 12,
        Outcome::Draining => 13,
        Outcome::TooLarge => 14,
        Outcome::HostError => 15,
    }
}

/// The outcome with this number on disk.
pub(super) fn outcome_of(code: u8) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome_code(*outcome) == code)
}

/// The words of a record.
pub(super) fn encode(position: Position, entry: &Entry) -> [u64; WORDS] {
    let usage = &entry.usage;
    let flags = if usage.shared { SHARED } else { 0 };
    let [s0, s1, s2, s3] = entry.subject.0.to_le_bytes();
    let named = u64::from_le_bytes([s0, s1, s2, s3, outcome_code(entry.outcome), flags, position.lane, 0]);
    let [c0, c1, c2, c3, c4, c5] = pack(&usage.host_calls);
    let body = [
        position.sequence,
        entry.id.0,
        named,
        entry.started_us,
        usage.wall_us,
        usage.executed_us,
        usage.memory_peak_bytes,
        usage.bytes_in,
        usage.bytes_out,
        c0,
        c1,
        c2,
        c3,
        c4,
        c5,
    ];
    let [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14] = body;
    [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, check(&body)]
}

/// The sequence that these words state, whether or not they are a whole record.
pub(super) fn sequence_of(words: &[u64; WORDS]) -> u64 {
    let [sequence, ..] = *words;
    sequence
}

/// The record of these words; nothing when they are not a whole one.
pub(super) fn decode(words: &[u64; WORDS]) -> Option<(Position, Entry)> {
    let [body @ .., sum] = words;
    if check(body) != *sum {
        return None;
    }
    let [sequence, id, named, started_us, wall_us, executed_us, memory_peak_bytes, bytes_in, bytes_out, calls @ ..] =
        *body;
    let [s0, s1, s2, s3, outcome, flags, lane, _] = named.to_le_bytes();
    let usage = Usage {
        wall_us,
        executed_us,
        memory_peak_bytes,
        bytes_in,
        bytes_out,
        host_calls: unpack(&calls),
        shared: flags & SHARED != 0,
    };
    let subject = SubjectId(u32::from_le_bytes([s0, s1, s2, s3]));
    let entry = Entry { subject, id: InvocationId(id), started_us, outcome: outcome_of(outcome)?, usage };
    Some((Position { lane, sequence }, entry))
}

/// The bytes of a record in a segment.
pub(super) fn bytes_of(words: &[u64; WORDS]) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    for (place, word) in bytes.chunks_exact_mut(size_of::<u64>()).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// The words of a record in a segment.
pub(super) fn words_of(bytes: &[u8; RECORD_BYTES]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
        *word = chunk.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    words
}

/// Tells damage and unfinished writing from a record; it does not keep out whoever forges one.
///
/// Each step is a bijection of the sum, so that no change within a single word goes unnoticed. It starts at a number that
/// makes sure that words of zeros are no record.
pub(super) fn check(words: &[u64]) -> u64 {
    const START: u64 = 0x6375_6d75_6c65_7431;
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    words.iter().fold(START, |sum, word| (sum ^ word).wrapping_mul(ODD).rotate_left(29))
}

fn pack(calls: &HostCalls) -> [u64; CALLS / 2] {
    let mut counts = Capability::ALL.into_iter().map(|capability| u64::from(calls.get(capability)));
    let mut words = [0; CALLS / 2];
    for word in &mut words {
        let low = counts.next().unwrap_or_default();
        *word = low | counts.next().unwrap_or_default() << 32;
    }
    words
}

fn unpack(words: &[u64; CALLS / 2]) -> HostCalls {
    let halves = words.iter().flat_map(|word| {
        let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
        [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
    });
    let counts = SeqDeserializer::<_, CountError>::new(halves.take(Capability::ALL.len()));
    // As many counts as there are capabilities: this never fails.
    HostCalls::deserialize(counts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const _: () = assert!(Capability::ALL.len() <= CALLS, "a record has no room for so many capabilities");

    fn entries() -> impl Strategy<Value = Entry> {
        let quantities = (any::<[u64; 5]>(), any::<[u64; CALLS / 2]>(), any::<bool>());
        (any::<u32>(), any::<u64>(), any::<u64>(), 0..Outcome::ALL.len(), quantities).prop_map(
            |(subject, id, started_us, outcome, ([wall_us, executed_us, peak, bytes_in, bytes_out], calls, shared))| {
                Entry {
                    subject: SubjectId(subject),
                    id: InvocationId(id),
                    started_us,
                    outcome: Outcome::ALL[outcome],
                    usage: Usage {
                        wall_us,
                        executed_us,
                        memory_peak_bytes: peak,
                        bytes_in,
                        bytes_out,
                        host_calls: unpack(&calls),
                        shared,
                    },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_comes_back(entry in entries(), lane: u8, sequence: u64) {
            let position = Position { lane, sequence };
            let bytes = bytes_of(&encode(position, &entry));
            prop_assert_eq!(decode(&words_of(&bytes)), Some((position, entry)));
        }

        #[test]
        fn a_change_of_one_word_is_noticed(entry in entries(), word in 0..WORDS, change in 1_u64..) {
            let mut words = encode(Position { lane: 0, sequence: 1 }, &entry);
            words[word] ^= change;
            prop_assert_eq!(decode(&words), None);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), RECORD_BYTES)) {
            decode(&words_of(&bytes.try_into().unwrap()));
        }
    }

    #[test]
    fn outcomes_keep_their_numbers() {
        let table: Vec<String> =
            Outcome::ALL.into_iter().map(|outcome| format!("{} {outcome}", outcome_code(outcome))).collect();
        insta::assert_snapshot!(table.join("\n"));
        for outcome in Outcome::ALL {
            assert_eq!(outcome_of(outcome_code(outcome)), Some(outcome));
        }
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(decode(&[0; WORDS]), None);
    }

    #[test]
    fn the_bytes_of_a_record_stay_as_they_are() {
        let mut usage = Usage {
            wall_us: 1_500,
            executed_us: 900,
            memory_peak_bytes: 1 << 20,
            bytes_in: 10,
            bytes_out: 20,
            shared: true,
            ..Usage::default()
        };
        usage.host_calls.add(Capability::Http);
        usage.host_calls.add(Capability::Postgres);
        let entry = Entry {
            subject: SubjectId(7),
            id: InvocationId(0x0123_4567_89ab_cdef),
            started_us: 1_700_000_000_000_000,
            outcome: Outcome::Trap,
            usage,
        };
        let bytes = bytes_of(&encode(Position { lane: 3, sequence: 42 }, &entry));
        let lines: Vec<String> =
            bytes.chunks(8).map(|word| word.iter().map(|b| format!("{b:02x}")).collect()).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
