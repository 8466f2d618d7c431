//! One compile process, as the node sees it.

use crate::compiler::failure::CompileFailure;
use crate::compiler::frame::{FrameError, Kind, PREFIX_BYTES, Prefix};
use crate::compiler::pool::CompilerSettings;
use crate::compiler::tail::Tail;
use crate::compiler::worker::WorkerLimits;
use rustix::process::Signal;
use std::convert::Infallible;
use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// How long a process whose output has ended may take to end itself.
const END_TIME_MAX: Duration = Duration::from_secs(5);
/// How many times its processor time a compilation may take by the clock: those who serve run before it.
const WALL_FACTOR: u32 = 4;
/// How many times its first second it may take besides: a busy machine gives little of the processor to what is short.
const WALL_FACTOR_FIRST: u32 = 26;
/// What the standard library writes before it aborts for want of memory.
const ALLOCATION_FAILED: &str = "memory allocation of";

/// Our allocator reserves a gibibyte at a time. As it does it by default, all of that is writable from the start, and
/// counts against the limit although nobody uses it; so it shall ask for each part when it needs it.
const ARENA: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

/// The program that compiles: what [`run_worker`](crate::compiler::run_worker) runs in.
#[derive(Clone, Debug)]
pub struct WorkerProgram {
    /// Its absolute path.
    pub path: PathBuf,
    /// What it is started with. `--memory SIZE --time DURATION` are added.
    pub args: Vec<OsString>,
}

/// A process that is ready to compile. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
    tail: Tail,
    limits: WorkerLimits,
}

/// Why a process does not answer.
#[derive(Debug)]
enum Silence {
    /// Its time was over.
    Late,
    /// It is gone, or about to go.
    Gone,
    /// The pipes to it fail.
    Pipe(io::Error),
    /// It says what it should not.
    Garbled(FrameError),
}

/// A frame of the process.
pub(super) type Answer = (Kind, Vec<u8>);

impl Process {
    /// Starts a process and waits until it has agreed to compile for engines with these fingerprints.
    pub(super) async fn start(
        program: &WorkerProgram,
        settings: &CompilerSettings,
        hello: &[u8],
    ) -> Result<Self, CompileFailure> {
        let mut process = Self::spawn(program, settings.limits).map_err(CompileFailure::Start)?;
        let answer = process.ask(Kind::Hello, &[hello], settings.ready_time).await;
        match answer {
            Ok((Kind::Ready, _)) => Ok(process),
            Ok((Kind::Refused, text)) => Err(CompileFailure::Refused(String::from_utf8_lossy(&text).into_owned())),
            Ok((kind, _)) => Err(CompileFailure::Garbled(FrameError::Unexpected(kind.label()))),
            Err(Silence::Late) => Err(CompileFailure::Unready(settings.ready_time)),
            Err(Silence::Gone) => {
                let ended = process.end().await;
                Err(CompileFailure::Start(io::Error::other(format!("it ended at once: {ended}"))))
            }
            Err(Silence::Pipe(error)) => Err(CompileFailure::Pipe(error)),
            Err(Silence::Garbled(error)) => Err(CompileFailure::Garbled(error)),
        }
    }

    fn spawn(program: &WorkerProgram, limits: WorkerLimits) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command
            .args(&program.args)
            .args(limits.to_args())
            // Nothing of the node's environment: it may hold addresses and passwords.
            .env_clear()
            .env(ARENA.0, ARENA.1)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C at the terminal is for the node, which drains.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let pipe = || io::Error::other("a pipe is missing");
        let input = child.stdin.take().ok_or_else(pipe)?;
        let output = child.stdout.take().ok_or_else(pipe)?;
        let errors = child.stderr.take().ok_or_else(pipe)?;
        Ok(Self { child, input, output, errors, tail: Tail::default(), limits })
    }

    /// Whether it still runs, as far as the system knows.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it wrote to its standard error.
    pub(super) fn tail(&self) -> String {
        self.tail.text()
    }

    /// Its number in the system, while it runs.
    #[cfg(test)]
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Has a component compiled or initialised. After any failure but one that says what is wrong with the component the
    /// process must not be used again.
    pub(super) async fn work(&mut self, kind: Kind, content: &[&[u8]]) -> Result<Answer, CompileFailure> {
        let first = self.limits.time.min(Duration::from_secs(1));
        let time = self.limits.time * WALL_FACTOR + first * WALL_FACTOR_FIRST;
        let answer = self.ask(kind, content, time).await;
        match answer {
            Ok(answer) if kind.is_answered_by(answer.0) => Ok(answer),
            Ok((Kind::Uninitialised, text)) if kind == Kind::Snapshot => {
                Err(CompileFailure::Initialiser(String::from_utf8_lossy(&text).into_owned()))
            }
            Ok((Kind::Invalid, text)) => Err(CompileFailure::Invalid(String::from_utf8_lossy(&text).into_owned())),
            Ok((Kind::Exhausted, _)) => Err(CompileFailure::Memory(self.limits.memory)),
            Ok((Kind::Refused, text)) => Err(CompileFailure::Refused(String::from_utf8_lossy(&text).into_owned())),
            Ok((kind, _)) => Err(CompileFailure::Garbled(FrameError::Unexpected(kind.label()))),
            Err(Silence::Late) => Err(CompileFailure::Stalled(time)),
            Err(Silence::Gone) => Err(self.cause_of_death().await),
            Err(Silence::Pipe(error)) => Err(CompileFailure::Pipe(error)),
            Err(Silence::Garbled(error)) => Err(CompileFailure::Garbled(error)),
        }
    }

    /// Sends one frame and reads one, while what the process writes to its standard error is taken away.
    async fn ask(&mut self, kind: Kind, content: &[&[u8]], time: Duration) -> Result<Answer, Silence> {
        let dialogue = async {
            // Who stops listening may have said why.
            let sent = send(&mut self.input, kind, content).await;
            let heard = receive(&mut self.output).await;
            if matches!(heard, Err(Silence::Gone)) { sent.and(heard) } else { heard }
        };
        within(time, dialogue, follow(&mut self.errors, &mut self.tail)).await.unwrap_or(Err(Silence::Late))
    }

    async fn cause_of_death(&mut self) -> CompileFailure {
        let ended = self.end().await;
        let Some(signal) = ended.signal else { return CompileFailure::Crashed(ended.to_string()) };
        if signal == Signal::XCPU.as_raw() {
            CompileFailure::Time(self.limits.time)
        } else if signal == Signal::KILL.as_raw() {
            CompileFailure::Killed
        } else if signal == Signal::ABORT.as_raw() && self.tail().contains(ALLOCATION_FAILED) {
            CompileFailure::Memory(self.limits.memory)
        } else {
            CompileFailure::Crashed(ended.to_string())
        }
    }

    /// Waits for its end, which is near, and takes its last words.
    async fn end(&mut self) -> Ended {
        let waiting = self.child.wait();
        let status = within(END_TIME_MAX, waiting, follow(&mut self.errors, &mut self.tail)).await;
        // What it wrote before its end is in the pipe, and the pipe is at its end with it.
        let rest = async {
            let mut piece = [0; 1 << 10];
            while let Ok(count @ 1..) = self.errors.read(&mut piece).await {
                self.tail.push(piece.get(..count).unwrap_or_default());
            }
        };
        let _cut = tokio::time::timeout(END_TIME_MAX, rest).await;
        Ended::of(status.and_then(Result::ok))
    }
}

/// How a process ended, as far as it is known.
struct Ended {
    signal: Option<i32>,
    status: Option<ExitStatus>,
}

impl Ended {
    fn of(status: Option<ExitStatus>) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        Self { signal: status.and_then(|status| status.signal()), status }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => status.fmt(f),
            None => f.write_str("its output ended, and it goes on"),
        }
    }
}

/// The value of `work`, unless its time is over first. `beside` goes on meanwhile.
async fn within<T>(
    time: Duration,
    work: impl Future<Output = T>,
    beside: impl Future<Output = Infallible>,
) -> Option<T> {
    tokio::select! {
        done = tokio::time::timeout(time, work) => done.ok(),
        never = beside => match never {},
    }
}

/// Takes away what a process writes to its standard error, so that it never waits for a reader.
async fn follow(errors: &mut ChildStderr, tail: &mut Tail) -> Infallible {
    let mut piece = [0; 1 << 10];
    while let Ok(count @ 1..) = errors.read(&mut piece).await {
        tail.push(piece.get(..count).unwrap_or_default());
    }
    std::future::pending().await
}

async fn send(input: &mut ChildStdin, kind: Kind, content: &[&[u8]]) -> Result<(), Silence> {
    let length = content.iter().map(|part| part.len()).sum();
    let prefix = Prefix::new(kind, length).map_err(Silence::Garbled)?;
    let mut written = input.write_all(&prefix.encode()).await;
    for part in content {
        if written.is_ok() {
            written = input.write_all(part).await;
        }
    }
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Silence::Gone),
        Err(error) => Err(Silence::Pipe(error)),
    }
}

async fn receive(output: &mut ChildStdout) -> Result<Answer, Silence> {
    let mut prefix = [0; PREFIX_BYTES];
    output.read_exact(&mut prefix).await.map_err(silence)?;
    let prefix = Prefix::decode(prefix).map_err(Silence::Garbled)?;
    // Memory is taken as bytes come, not as they are announced.
    let mut content = Vec::new();
    let read = output.take(prefix.length as u64).read_to_end(&mut content).await.map_err(silence)?;
    if read == prefix.length { Ok((prefix.kind, content)) } else { Err(Silence::Gone) }
}

fn silence(error: io::Error) -> Silence {
    if error.kind() == io::ErrorKind::UnexpectedEof { Silence::Gone } else { Silence::Pipe(error) }
}
