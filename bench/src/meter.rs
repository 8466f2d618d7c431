//! `meter`: what measuring and recording cost, and how right a bill is.

mod bill;
mod poll;
mod record;

use std::path::Path;

use anyhow::Result;

use crate::cores::Cores;
use crate::fleet::Program;
use crate::report::Report;
use crate::settings::Settings;

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("meter");
    let split = Cores::allowed()?.split(1);
    split.load.confine()?;
    report.table(poll::measure(settings)?);
    report.table(record::measure(settings)?);
    match (Program::find(settings), settings.component("hello"), settings.guest("hostile")) {
        (Ok(program), Ok(hello), Ok(hostile)) => {
            let stage = bill::Stage { settings, program, split: &split, logs };
            report.table(stage.measure(&hello, &hostile)?);
        }
        (program, hello, hostile) => {
            let missing = [program.err(), hello.err(), hostile.err()];
            missing.into_iter().flatten().for_each(|missing| report.left_out(missing));
        }
    }
    report.note("a measured poll reads the thread's processor time before and after the guest: both polls are of a guest that waits");
    report.note("a record: its place reserved and the record put into the ring; drained: moved to a segment and the sums, two syncs");
    report.note(format!(
        "bills: node on core {}, the client on {}, closed loop; billed is what the ledger says",
        split.server, split.load
    ));
    report.note(
        "a load's ms are passed time: what shares a core with others computes less within them, and is billed less",
    );
    report.note("guest threads: those that poll guests (tokio's, which serve connections as well, and the runners), by schedstat");
    report.note("unbilled: processor time of these threads, or of the whole process, that nobody is billed for");
    Ok(report)
}
