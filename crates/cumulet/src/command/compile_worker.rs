//! `cumulet compile-worker`: what a node starts to compile components apart from itself. Nobody types it.

use std::time::Duration;

use clap::Args;
use cumulet_node::compiler::{WorkerLimits, run_worker};
use cumulet_spec::quantity::{Bytes, parse_duration};

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;

/// Compile what a node sends on standard input; started by `cumulet node`
#[derive(Debug, Args)]
pub(crate) struct CompileWorker {
    /// Memory that it may write to, such as 1GiB
    #[arg(long, value_name = "SIZE", value_parser = Bytes::parse)]
    memory: Bytes,
    /// Processor time for each component, such as 60s
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    time: Duration,
}

impl CompileWorker {
    pub(crate) fn execute(self) -> Ended {
        let limits = WorkerLimits { memory: self.memory, time: self.time };
        run_worker(limits).map_err(|error| Failure::new(Exit::FAILED, "the compile process ends").because(&error))?;
        Ok(Exit::DONE)
    }
}
