//! What a request to a node can come to, other than what was asked for.

use std::error::Error;
use std::io;

use cumulet_spec::api::{Problem, ProblemKind};
use http::StatusCode;
use reqwest::Url;
use thiserror::Error as ThisError;

use crate::exit::Exit;
use crate::failure::Failure;

/// A request that a node did not do.
#[derive(Debug, ThisError)]
pub(crate) enum CallError {
    /// The node says why not.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The node cannot be spoken to.
    #[error("{why}")]
    Unreached {
        /// Where it should be.
        node: String,
        /// What the system or the other side says.
        why: String,
        /// Whether it may be different the next time.
        may_pass: bool,
        /// Whether the other side shows a certificate that nobody here vouches for.
        is_untrusted: bool,
    },
    /// What answers does not speak as a node does.
    #[error("{why}")]
    Strange {
        /// Where it is.
        node: String,
        /// What was wrong with the answer.
        why: String,
    },
    /// The request could not be written down.
    #[error("{why}")]
    Unsaid {
        /// For whom it was.
        node: String,
        /// Why not.
        why: String,
    },
}

impl CallError {
    /// Nothing came back, or not all of it.
    pub(super) fn lost(node: &Url, error: &reqwest::Error) -> Self {
        let may_pass = !error.is_connect() && !error.is_builder();
        Self::Unreached { node: node.to_string(), why: innermost(error), may_pass, is_untrusted: is_untrusted(error) }
    }

    /// A status that is none of success, and its body.
    pub(super) fn refused(node: &Url, status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => Self::Refused(Box::new(problem)),
            Err(_other) => Self::strange(node, format!("it answers with status {status}, and not as a node does")),
        }
    }

    /// A body that is not what was asked for.
    pub(super) fn strange(node: &Url, why: String) -> Self {
        Self::Strange { node: node.to_string(), why }
    }

    /// A request that cannot be written down.
    pub(super) fn unsaid(node: &Url, error: &dyn Error) -> Self {
        Self::Unsaid { node: node.to_string(), why: error.to_string() }
    }

    /// What kind of thing the node says went wrong.
    pub(crate) fn kind(&self) -> Option<ProblemKind> {
        match self {
            Self::Refused(problem) => Some(problem.kind),
            Self::Unreached { .. } | Self::Strange { .. } | Self::Unsaid { .. } => None,
        }
    }

    /// Whether no node said anything.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::Unreached { .. } | Self::Strange { .. })
    }

    /// Whether a node that was there may be there again: it starts anew, or has too much to do.
    pub(crate) fn may_return(&self) -> bool {
        match self {
            Self::Refused(problem) => matches!(problem.kind, ProblemKind::Busy | ProblemKind::TooMany),
            // Who shows a wrong certificate is another one, or will not show a better one soon.
            Self::Unreached { is_untrusted, .. } => !is_untrusted,
            Self::Strange { .. } | Self::Unsaid { .. } => false,
        }
    }

    /// Whether the same request may be done a moment later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.kind == ProblemKind::Busy,
            Self::Unreached { may_pass, .. } => *may_pass,
            Self::Strange { .. } | Self::Unsaid { .. } => false,
        }
    }

    /// The failure of a command that wanted to do `what`, such as `cannot list the apps`.
    pub(crate) fn failure(self, what: impl Into<String>) -> Box<Failure> {
        match self {
            Self::Refused(problem) => refused(*problem, what.into()),
            Self::Unreached { node, why, is_untrusted, .. } => {
                let next = if is_untrusted {
                    "see that this is the node that you mean; name who signed its certificate with --ca FILE"
                } else {
                    "start it with `cumulet node`, or name another with --node URL"
                };
                Failure::new(Exit::UNREACHED, format!("cannot reach the node at {node}")).why(why).next(next)
            }
            Self::Strange { node, why } => {
                Failure::new(Exit::UNREACHED, format!("there is no admin API at {node}")).why(why).next(
                    "name the admin address of a `cumulet node` of this version with --node URL; `cumulet up` has none",
                )
            }
            Self::Unsaid { node, why } => Failure::new(Exit::FAILED, format!("cannot ask the node at {node}")).why(why),
        }
    }
}

fn refused(problem: Problem, what: String) -> Box<Failure> {
    let exit = if problem.kind == ProblemKind::Unfit { Exit::INVALID } else { Exit::FAILED };
    let untold = problem.grants.iter().filter(|line| !problem.detail.contains(&line.entry));
    let mut failure = untold.fold(Failure::new(exit, what).why(&problem.detail), |failure, line| {
        failure.why(format!("`{}` would gain {} {}", line.component, line.capability, line.entry))
    });
    if let (ProblemKind::Internal, Some(id)) = (problem.kind, problem.request_id) {
        failure = failure.why(format!("the node's log has it as request {id}"));
    }
    let own = step(problem.kind).map(str::to_owned);
    // Of tokens the node speaks as to a program that sends headers.
    let next = if problem.kind == ProblemKind::Unauthorized { own } else { problem.next.or(own) };
    match next {
        Some(next) => failure.next(next),
        None => failure,
    }
}

/// What to do where the node does not say.
fn step(kind: ProblemKind) -> Option<&'static str> {
    match kind {
        ProblemKind::Unauthorized => {
            Some("give a valid token with --token-file; an admin makes one with `cumulet token new`")
        }
        ProblemKind::Forbidden => {
            Some("use a token that may do it; an admin makes one with `cumulet token new --scope …`")
        }
        ProblemKind::Generation => Some("look at what has changed, and do it again"),
        ProblemKind::GrantsGained => Some("accept them with --accept-grants"),
        ProblemKind::TooMany | ProblemKind::Busy => Some("try again in a moment"),
        ProblemKind::Internal => Some("see the node's log"),
        ProblemKind::Method => Some("use a node and a command of the same version"),
        ProblemKind::Invalid
        | ProblemKind::Unfit
        | ProblemKind::NotFound
        | ProblemKind::Conflict
        | ProblemKind::Upload
        | ProblemKind::TooLarge => None,
    }
}

/// Whether somewhere below it a certificate was refused.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let is_itself = matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)));
    // The source of an error of the system is not what it wraps, but that one's source.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    is_itself || wrapped.is_some_and(|wrapped| is_untrusted(wrapped)) || error.source().is_some_and(is_untrusted)
}

/// What is at the bottom of an error: those above it say only that a request failed.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
