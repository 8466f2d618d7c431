//! Why there is no compiled file.

use crate::compiler::frame::FrameError;
use cumulet_spec::outcome::Fault;
use cumulet_spec::quantity::{Bytes, format_duration};
use std::io;
use std::time::Duration;
use thiserror::Error;

/// A component was not compiled.
#[derive(Debug, Error)]
pub enum CompileFailure {
    /// It is no valid component, or needs what its class does not offer. The text says so whole.
    #[error("{0}")]
    Invalid(String),
    /// Its initialiser did not do its work. The text says so whole.
    #[error("{0}")]
    Initialiser(String),
    /// Compiling it needs more memory than is granted.
    #[error("the compiler needed more than {0}")]
    Memory(Bytes),
    /// Compiling it takes more processor time than is granted.
    #[error("the compiler took longer than {}", format_duration(*.0))]
    Time(Duration),
    /// The compiler broke on it.
    #[error("the compiler broke on this component ({0})")]
    Crashed(String),
    /// The tenant has as many compilations waiting as it may have.
    #[error("{0} compilations of this tenant wait already")]
    Busy(usize),
    /// No process became free in time.
    #[error("no compile process was free for {}", format_duration(*.0))]
    Waited(Duration),
    /// The process could not be started.
    #[error("the compile process could not be started")]
    Start(#[source] io::Error),
    /// The process could not be spoken to.
    #[error("the compile process could not be spoken to")]
    Pipe(#[source] io::Error),
    /// The process did not answer although it was given time to spare: the machine is too busy for it.
    #[error("the compile process did not answer within {}", format_duration(*.0))]
    Stalled(Duration),
    /// The process was killed by somebody else, or for want of memory on the whole machine.
    #[error("the compile process was killed from outside")]
    Killed,
    /// What answers is no compile process, or one of another release.
    #[error("the compile process does not speak as it should")]
    Garbled(#[source] FrameError),
    /// The process refuses to work for this node.
    #[error("the compile process refused: {0}")]
    Refused(String),
    /// The process did not answer when it was started.
    #[error("the compile process was not ready within {}", format_duration(*.0))]
    Unready(Duration),
}

impl CompileFailure {
    /// Whose fault it is: the component's, that of whoever sends too many of them, or ours.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Invalid(_) | Self::Initialiser(_) | Self::Memory(_) | Self::Time(_) | Self::Crashed(_) => {
                Fault::Guest
            }
            Self::Busy(_) => Fault::Client,
            Self::Waited(_)
            | Self::Start(_)
            | Self::Pipe(_)
            | Self::Stalled(_)
            | Self::Killed
            | Self::Garbled(_)
            | Self::Refused(_)
            | Self::Unready(_) => Fault::Host,
        }
    }

    /// Whether the same component may well compile a little later.
    #[must_use]
    pub const fn retry(&self) -> bool {
        matches!(
            self,
            Self::Busy(_) | Self::Waited(_) | Self::Start(_) | Self::Pipe(_) | Self::Stalled(_) | Self::Killed
        )
    }
}
