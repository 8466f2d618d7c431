//! Components in, one component out.
//!
//! Each member's imports that a grant stands behind get a name of their own first ([`cumulet_spec::member`]), so that the
//! host can tell in the finished component who asks. The links are checked by type, and what does not fit is told in the
//! words of the manifest. The same members and links give the same bytes.
//!
//! Nothing here runs, compiles, or knows what was granted.

mod composer;
mod inspect;
mod link;
mod problem;
mod rename;
mod signature;

pub use composer::{Member, check, compose};
pub use inspect::{hollow_imports, needs_async};
pub use problem::{ComposeError, Problem, ProblemKind};
