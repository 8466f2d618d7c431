//! Many apps on one node: byte-different components, deployed in this process and served by a node of its own.

mod caller;
mod deploy;
mod memory;
mod model;
mod node;
mod program;
mod threads;
mod times;
mod usage;

pub(crate) use caller::Caller;
pub(crate) use deploy::{App, deploy};
pub(crate) use memory::{Disk, Memory, each_file, empty_page_cache};
pub(crate) use model::Model;
pub(crate) use node::{Metrics, NodeLaunch, NodeProcess, get};
pub(crate) use program::Program;
pub(crate) use threads::Threads;
pub(crate) use times::Times;
pub(crate) use usage::{Billed, billed};
