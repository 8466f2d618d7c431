//! C4: from starting the process to its first answer.

use anyhow::Result;

use super::Stage;
use crate::fleet::Caller;
use crate::report::{Cell, Table};

/// Starts that are measured.
const STARTS: usize = 20;
/// The same where the run is quick.
const STARTS_QUICK: usize = 5;

/// What starts gave.
#[derive(Debug, Default)]
pub(super) struct Started {
    /// Milliseconds until it said that it serves.
    pub(super) ready_ms: Vec<f64>,
    /// Milliseconds until the first app had answered.
    pub(super) answer_ms: Vec<f64>,
    /// MiB that were resident then.
    pub(super) resident_mib: Vec<f64>,
}

impl Stage<'_> {
    /// Starts the node over and over, with everything deployed and in the page cache.
    pub(super) fn start_to_answer(&self) -> Result<Started> {
        let mut started = Started::default();
        for _ in 0..if self.settings.quick { STARTS_QUICK } else { STARTS } {
            let node = self.start("")?;
            Caller::new(&node)?.ask(self.any_app())?;
            started.answer_ms.push(node.began.elapsed().as_secs_f64() * 1e3);
            started.ready_ms.push(node.ready.as_secs_f64() * 1e3);
            started.resident_mib.push(node.memory()?.resident / 1_048_576.0);
            node.stop()?;
        }
        Ok(started)
    }
}

/// As a table.
pub(super) fn table(started: &Started) -> Table {
    let columns = ["which", "starts", "ready ms", "first answer ms", "resident MiB"];
    let mut table = Table::new("C4: start of the process", &columns);
    table.row(vec![
        Cell::text("cumulet node"),
        Cell::number(Some(super::whole(started.answer_ms.len())), 0),
        Cell::spread(&started.ready_ms, 1),
        Cell::spread(&started.answer_ms, 1),
        Cell::spread(&started.resident_mib, 1),
    ]);
    table
}
