//! The composition root: loads revisions, runs invocations, shows the operator what happened.
//!
//! The way of a request is in `invoke`; everything else here prepares it or follows from it.

mod account;
mod admin;
mod apps;
mod books;
pub mod build;
mod chain;
pub mod check;
mod clock;
pub mod compiler;
pub mod componentize;
mod deploy;
pub mod descriptors;
pub mod doctor;
mod event;
pub mod fetch;
pub mod folder;
mod furnish;
mod inside;
mod invoke;
mod load;
pub mod logs;
mod metrics;
mod node;
mod public;
pub mod publish;
mod pulse;
mod queue;
mod recipe;
mod reply;
pub mod run;
mod serving;
mod ship;
pub mod signing;
mod slice;
mod target;
mod task;
mod ticket;
pub mod tls;
pub mod usage;
pub mod values;
pub mod watch;
pub mod wire;
mod workshop;

pub use admin::{FirstTokenError, openapi};
pub use cumulet_artifact::{KeyError, NodeKey};
pub use cumulet_capability::Asked;
pub use cumulet_control::{ChangeError, ChangeErrorKind, ChangeNumber, IdempotencyKey, Registry};
pub use cumulet_gateway::Drained;
pub use deploy::{DeployError, DeployRequest, DeployedRevision};
pub use event::EventFormat;
pub use load::{LoadError, LoadErrorKind, LoadStep, Loaded};
pub use node::{DeployedOptions, Node, ServeOptions, StartError};
pub use ship::{SweepError, Swept};
pub use workshop::Observe;
