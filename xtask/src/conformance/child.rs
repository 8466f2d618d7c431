//! The program under test: its streams can be read with a time limit.

use std::io::{Read, Write};
use std::process::{Child as Process, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::conformance::specification::{Output, Signal};
use crate::stopwatch::Stopwatch;

/// Bytes of a stream that are kept; what comes after them is read and dropped.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// How often a running program is asked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A running program; it is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
    patience: Duration,
}

impl Child {
    /// Starts the program. Each of the calls below waits for `patience` at most.
    pub(super) fn start(command: &mut Command, patience: Duration) -> anyhow::Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the program")?;
        let stdin = process.stdin.take();
        let stdout = Stream::collect(process.stdout.take());
        let stderr = Stream::collect(process.stderr.take());
        Ok(Self { process, stdin, stdout, stderr, patience })
    }

    pub(super) fn write(&mut self, text: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("standard input is closed")?;
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).context("cannot write to standard input")
    }

    /// Reads as many bytes as `text` has, and compares.
    pub(super) fn expect(&mut self, output: Output, text: &str) -> anyhow::Result<()> {
        let wanted = text.len();
        let found = self.stream(output).take_when(self.patience, |bytes| (bytes.len() >= wanted).then_some(wanted));
        if found != text.as_bytes() {
            bail!("expected {text:?} on {output:?}, got {:?}", String::from_utf8_lossy(&found));
        }
        Ok(())
    }

    /// Reads one line of standard output.
    pub(super) fn line(&mut self) -> anyhow::Result<String> {
        let line =
            self.stdout.take_when(self.patience, |bytes| Some(bytes.iter().position(|byte| *byte == b'\n')? + 1));
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if line.is_empty() {
            bail!("no line on standard output");
        }
        Ok(line)
    }

    pub(super) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let signal = match signal {
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Interrupt => rustix::process::Signal::INT,
        };
        let process = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(process, signal).context("cannot send the signal")
    }

    /// Closes standard input and waits for the end.
    pub(super) fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.stdin = None;
        let stopwatch = Stopwatch::start();
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            if stopwatch.elapsed() > self.patience {
                bail!("it did not end within {} s", self.patience.as_secs());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// What is left of both outputs, for a report.
    pub(super) fn remains(&mut self) -> String {
        [("stdout", &self.stdout), ("stderr", &self.stderr)]
            .into_iter()
            .filter_map(|(name, stream)| {
                let left = stream.take_when(Duration::from_millis(200), |_| None);
                let left = String::from_utf8_lossy(&left).trim().to_owned();
                (!left.is_empty()).then(|| format!("\n{name}: {left}"))
            })
            .collect()
    }

    fn stream(&self, output: Output) -> &Stream {
        match output {
            Output::Stdout => &self.stdout,
            Output::Stderr => &self.stderr,
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// What a thread has read from one output so far.
#[derive(Debug)]
struct Stream(Arc<(Mutex<Collected>, Condvar)>);

#[derive(Debug, Default)]
struct Collected {
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    fn collect(source: Option<impl Read + Send + 'static>) -> Self {
        let stream = Self(Arc::default());
        let shared = Arc::clone(&stream.0);
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 4096];
            let mut source = source;
            loop {
                let count = source.as_mut().and_then(|source| source.read(&mut buffer).ok()).unwrap_or(0);
                let (state, changed) = &*shared;
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                let room = KEPT_BYTES_MAX.saturating_sub(state.bytes.len());
                state.bytes.extend(buffer.iter().take(count.min(room)));
                state.ended = count == 0;
                changed.notify_all();
                if state.ended {
                    return;
                }
            }
        });
        stream
    }

    /// Waits until `enough` says how many bytes to take; takes all there are when the stream ends or time is over.
    fn take_when(&self, patience: Duration, enough: impl Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = changed
            .wait_timeout_while(state, patience, |state| !state.ended && enough(&state.bytes).is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let count = enough(&state.bytes).unwrap_or(state.bytes.len());
        state.bytes.drain(..count).collect()
    }
}
