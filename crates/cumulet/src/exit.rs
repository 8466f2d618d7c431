//! The exit codes of every command.

use std::process::ExitCode;

/// How a command ends, as the number that the shell sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// The work is done.
    pub(crate) const DONE: Self = Self(0);
    /// The work failed.
    pub(crate) const FAILED: Self = Self(1);
    /// The command line is wrong.
    pub(crate) const USAGE: Self = Self(2);
    /// The manifest or a component is invalid.
    pub(crate) const INVALID: Self = Self(3);
    /// The node cannot be reached.
    pub(crate) const UNREACHED: Self = Self(4);
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
