//! What a compile process gives up before it reads what a stranger wrote.

use crate::compiler::worker::{WorkerError, WorkerLimits};
use cumulet_spec::quantity::Bytes;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io;
use std::time::Duration;

/// Descriptors: standard input, output and error. No further one can be opened.
const DESCRIPTORS_MAX: u64 = 3;
/// How far below those who serve it runs: where they take all there is, it still gets about a quarter of a core. At the
/// lowest priority it would get a seventieth, and a busy node could not be deployed to.
const NICE: i32 = 5;
/// How much further below the threads are that compile beside the first: they are for cores that have nothing to do, and
/// where there are none they get a tenth of one, so that no function waits for them for long.
const NICE_HELPER: i32 = 5;

/// Limits the whole process. Must come before the first further thread, because a part of it is inherited by threads.
pub(super) fn process(limits: WorkerLimits) -> Result<(), WorkerError> {
    rustix::process::nice(NICE).map_err(failed("lower its priority"))?;
    #[cfg(target_os = "linux")]
    {
        rustix::thread::set_no_new_privs(true).map_err(failed("renounce privileges"))?;
        // When the machine runs out of memory, this process goes before any that serves. Some containers refuse it.
        drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    }
    // Memory that is written to counts; reserved address space does not.
    #[cfg(target_os = "linux")]
    limit(Resource::Data, limits.memory, "limit its memory")?;
    limit(Resource::Core, Bytes(0), "renounce core dumps")?;
    limit(Resource::Fsize, Bytes(0), "renounce writing files")?;
    limit(Resource::Nofile, Bytes(DESCRIPTORS_MAX), "renounce opening files")
}

/// Lowers the priority of this thread alone. Where that fails it compiles as the first does.
pub(super) fn helper() {
    let _nice = rustix::process::nice(NICE_HELPER);
}

/// Renounces further threads and processes. For a privileged user the system does not enforce it.
pub(super) fn threads() -> Result<(), WorkerError> {
    limit(Resource::Nproc, Bytes(0), "renounce further threads")
}

/// Grants this much more processor time, to the second, counted from now.
pub(super) fn time(time: Duration) -> Result<(), WorkerError> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    // The seconds that were begun count as whole ones, so that what is granted is not less than what was asked for.
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0) + 1 + time.as_secs().max(1);
    let soft = Rlimit { current: Some(seconds), maximum: None };
    setrlimit(Resource::Cpu, soft).map_err(failed("limit its processor time"))
}

/// Sets both limits, the second of which cannot be raised again.
fn limit(resource: Resource, most: Bytes, action: &'static str) -> Result<(), WorkerError> {
    setrlimit(resource, Rlimit { current: Some(most.0), maximum: Some(most.0) }).map_err(failed(action))
}

fn failed<E: Into<io::Error>>(action: &'static str) -> impl FnOnce(E) -> WorkerError {
    move |source| WorkerError::Confine { action, source: source.into() }
}
