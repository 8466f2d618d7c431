//! How many files this process may have open: each loaded app and each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limits of open files; `u64::MAX` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// What holds now.
    pub soft: u64,
    /// Up to where it can be raised without privilege.
    pub hard: u64,
}

/// Raises the soft limit to the hard one, and says what holds from here on.
///
/// Nothing here uses `select`, which a descriptor above 1,023 would harm.
pub fn raise_descriptors() -> Descriptors {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // A system that refuses leaves the limit as it was, and the answer says so.
    let _refused = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    Descriptors { soft: current.unwrap_or(u64::MAX), hard: maximum.unwrap_or(u64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let raised = raise_descriptors();
        assert_eq!(raised.soft, raised.hard);
        assert_eq!(raise_descriptors(), raised);
    }
}
