//! Text that must not be shown: secrets, and addresses that carry a password.

use std::fmt;

use zeroize::Zeroizing;

/// Text that is not printed, not serialised, and wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive(Zeroizing<String>);

impl Sensitive {
    /// Takes the text; the copy that it came from is the caller's to wipe.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_printed() {
        let text = Sensitive::new("hunter2".to_owned());
        assert_eq!(format!("{text:?}"), "Sensitive(…)");
        assert_eq!(text.reveal(), "hunter2");
    }
}
