//! What runs in a compile process.
//!
//! It confines itself before it reads anything, says nothing but frames on its standard output, opens nothing, and ends
//! as soon as the node closes its standard input, also in the middle of a compilation: a node that dies leaves no
//! compiler behind.

mod confine;

use crate::compiler::frame::{self, FrameError, Kind, PREFIX_BYTES, Prefix, cut, hello, read_compile};
use cumulet_engine::{CompileEngines, EngineError, Snapshot, SnapshotError, compile_apart, snapshot};
use cumulet_spec::quantity::{Bytes, format_duration};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use thiserror::Error;

/// Threads that compile one component, where the machine has as many cores.
const THREADS_MAX: usize = 4;
/// Stack of each of them that is not the first: what that one has.
const STACK_BYTES: usize = 8 << 20;

/// What one compile process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Memory that it may write to, its own included.
    pub memory: Bytes,
    /// Processor time for each component, to the second. By the clock, four times as much may pass.
    pub time: Duration,
}

impl WorkerLimits {
    /// The arguments that tell a process its limits.
    pub(super) fn to_args(self) -> [String; 4] {
        ["--memory".into(), self.memory.to_string(), "--time".into(), format_duration(self.time)]
    }
}

/// A compile process could not do its work.
#[derive(Debug, Error)]
pub enum WorkerError {
    /// It could not give up what it must not have.
    #[error("cannot {action}")]
    Confine {
        /// What it tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Its engines cannot be set up.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The node says what it should not.
    #[error("the node does not speak as it should")]
    Garbled(#[from] FrameError),
    /// The pipes to the node fail.
    #[error("cannot speak to the node")]
    Pipe(#[from] io::Error),
}

/// One thing that the node said.
type Request = Result<(Kind, Vec<u8>), WorkerError>;

/// Compiles what arrives at standard input until it ends, which ends the process.
///
/// # Errors
/// When the process cannot confine itself, or what arrives is not what a node says.
pub fn run_worker(limits: WorkerLimits) -> Result<(), WorkerError> {
    serve(limits, io::stdin(), io::stdout())
}

/// As [`run_worker`], on any pair of pipes.
pub(super) fn serve(
    limits: WorkerLimits,
    input: impl Read + Send + 'static,
    mut output: impl Write,
) -> Result<(), WorkerError> {
    // How many cores there are stands in files, of which none can be opened afterwards.
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    confine::process(limits)?;
    let (sender, requests) = sync_channel(1);
    thread::Builder::new().name("requests".into()).spawn(move || listen(input, &sender))?;
    let threads = compilers(cores.min(THREADS_MAX))?;
    confine::threads()?;
    let engines = CompileEngines::new()?;
    agree(&engines, &requests, &mut output)?;
    while let Ok(request) = requests.recv() {
        let (kind, content) = request?;
        confine::time(limits.time)?;
        let (kind, content) = threads.install(|| answer(&engines, kind, &content))?;
        send(&mut output, kind, &content)?;
    }
    Ok(())
}

/// Does what is asked for.
fn answer(engines: &CompileEngines, kind: Kind, content: &[u8]) -> Result<(Kind, Vec<u8>), WorkerError> {
    let text = |kind, text: &str| (kind, cut(text).as_bytes().to_vec());
    match kind {
        Kind::Compile => {
            let (class, component) = read_compile(content)?;
            Ok(match compile_apart(engines, class, component) {
                Ok(code) => (Kind::Compiled, code),
                Err(error) if error.is_out_of_memory() => (Kind::Exhausted, Vec::new()),
                Err(error) => text(Kind::Invalid, &error.to_string()),
            })
        }
        Kind::Snapshot => Ok(match snapshot(content) {
            Ok(Snapshot::Taken(component)) => (Kind::Taken, component),
            Ok(Snapshot::Unfit(reason)) => text(Kind::Unfit, &reason),
            Err(SnapshotError::Engine(error)) => return Err(error.into()),
            Err(error) => text(Kind::Uninitialised, &error.to_string()),
        }),
        _ => Err(FrameError::Unexpected(kind.label()).into()),
    }
}

/// The threads that compile: this one, and others of a lower priority still.
fn compilers(threads: usize) -> Result<ThreadPool, WorkerError> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        // What cannot be divided is done here, and not by a thread that gets what the others leave.
        .use_current_thread()
        .stack_size(STACK_BYTES)
        .thread_name(|index| format!("compiler-{index}"))
        .start_handler(|_index| confine::helper())
        .build();
    pool.map_err(|source| WorkerError::Confine { action: "start its threads", source: io::Error::other(source) })
}

/// Makes sure that the node's engines load what is made here.
fn agree(engines: &CompileEngines, requests: &Receiver<Request>, output: &mut impl Write) -> Result<(), WorkerError> {
    let Ok(request) = requests.recv() else { return Ok(()) };
    let (kind, theirs) = request?;
    if kind != Kind::Hello {
        return Err(FrameError::Unexpected(kind.label()).into());
    }
    if theirs == hello(&engines.fingerprints()) {
        return send(output, Kind::Ready, b"");
    }
    send(output, Kind::Refused, b"it is of another release than the node, or has other settings")
}

/// Reads what the node says, also while a component is compiled, so that the end of the node is not overlooked.
fn listen(mut input: impl Read, requests: &SyncSender<Request>) {
    loop {
        let request = read(&mut input);
        if matches!(&request, Err(WorkerError::Pipe(error)) if error.kind() == io::ErrorKind::UnexpectedEof) {
            leave();
        }
        let is_last = request.is_err();
        if requests.send(request).is_err() || is_last {
            return;
        }
    }
}

#[expect(clippy::exit, reason = "nobody reads what is being made, and the thread that makes it cannot be stopped")]
fn leave() -> ! {
    std::process::exit(0)
}

fn read(input: &mut impl Read) -> Request {
    let mut prefix = [0; PREFIX_BYTES];
    input.read_exact(&mut prefix)?;
    let prefix = Prefix::decode(prefix)?;
    let mut content = vec![0; prefix.length];
    input.read_exact(&mut content)?;
    Ok((prefix.kind, content))
}

fn send(output: &mut impl Write, kind: Kind, content: &[u8]) -> Result<(), WorkerError> {
    let prefix = frame::Prefix::new(kind, content.len())?;
    output.write_all(&prefix.encode())?;
    output.write_all(content)?;
    Ok(output.flush()?)
}
