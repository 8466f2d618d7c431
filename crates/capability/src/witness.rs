//! What components asked for, granted or not: kept where an operator wants to know what to grant.

use cumulet_spec::grant::Capability;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Different things that are remembered of one component; what is asked for beyond is not.
const ENTRIES_MAX: usize = 1_000;
/// The longest text of an entry, in bytes: guests choose it.
const ENTRY_BYTES_MAX: usize = 256;

/// How often something was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Times that it was granted.
    pub granted: u64,
    /// Times that it was denied.
    pub denied: u64,
}

/// What one component asked for, by the text that a manifest would grant it with.
#[derive(Debug, Default)]
pub struct Witness {
    asked: Mutex<BTreeMap<(Capability, String), Asked>>,
}

impl Witness {
    /// Everything that was asked for so far, in the order of the manifest.
    #[must_use]
    pub fn asked(&self) -> BTreeMap<(Capability, String), Asked> {
        self.asked.lock().clone()
    }

    pub(crate) fn note(&self, capability: Capability, entry: &str, granted: bool) {
        if entry.is_empty() || entry.len() > ENTRY_BYTES_MAX || entry.chars().any(char::is_control) {
            return;
        }
        let mut asked = self.asked.lock();
        let key = (capability, entry.to_owned());
        if asked.len() >= ENTRIES_MAX && !asked.contains_key(&key) {
            return;
        }
        let counts = asked.entry(key).or_default();
        if granted {
            counts.granted += 1;
        } else {
            counts.denied += 1;
        }
    }
}

/// Remembers that something was asked for, where anybody wants to know.
pub(crate) fn note(witness: Option<&Witness>, capability: Capability, entry: &str, granted: bool) {
    if let Some(witness) = witness {
        witness.note(capability, entry, granted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_fills_no_memory_with_what_it_asks_for() {
        let witness = Witness::default();
        for number in 0..2 * ENTRIES_MAX {
            witness.note(Capability::Keyvalue, &number.to_string(), false);
        }
        witness.note(Capability::Keyvalue, "0", true);
        witness.note(Capability::Http, &"x".repeat(ENTRY_BYTES_MAX + 1), false);
        witness.note(Capability::Http, "a\nb", false);
        let asked = witness.asked();
        assert_eq!(asked.len(), ENTRIES_MAX);
        assert_eq!(asked[&(Capability::Keyvalue, "0".to_owned())], Asked { granted: 1, denied: 1 });
    }
}
