//! Which protections and limits are really active on this machine, and what to do about what is not.
//!
//! [`read`] looks at the machine and gives [`Facts`]; [`judge`] makes [`Finding`]s of them and looks at nothing, so that
//! what it says of any machine is tested with data.

mod facts;
mod finding;
mod judge;
mod read;

pub use self::facts::{Compiling, Facts, Isolation, Limits, Network, Port, Storage, System};
pub use self::finding::{Finding, Group, State};
pub use self::judge::judge;
pub use self::read::{Patient, read};
