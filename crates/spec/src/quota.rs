//! What a tenant or an app may use of a node, and what share of it a tenant gets when others want it too.

mod weight;

pub use weight::{Weight, WeightError};
