//! Many apps on one node: byte-different components, deployed in this process and served by a node of its own.

mod deploy;
mod memory;
mod model;
mod node;
mod program;
mod usage;

pub(crate) use deploy::{App, deploy};
pub(crate) use memory::{Disk, Memory};
pub(crate) use model::Model;
pub(crate) use node::{Metrics, NodeLaunch, NodeProcess, get};
pub(crate) use program::Program;
pub(crate) use usage::{Billed, billed};
