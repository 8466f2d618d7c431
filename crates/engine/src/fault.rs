//! How a guest ended, read from what the engine returned.

use crate::gauge::{Breach, Gauge};
use std::fmt::Write as _;
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, PoolConcurrencyLimitError, Trap};

/// How a guest that did not finish by itself ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It trapped; the text is for the operator.
    Trap(String),
    /// It passed its executed time.
    CpuLimit,
    /// Growth was refused, and it then trapped.
    MemoryLimit,
    /// It passed a limit on host calls: bytes, handles or fields; the text names it.
    HostLimit(String),
    /// The pool had no slot: our own fault, because admission should have waited.
    PoolExhausted(String),
}

/// Reads the ending of a guest from the error that ended it and the breaches that were noted on the way.
#[must_use]
pub fn classify(error: &Error, gauge: &Gauge) -> Ending {
    if gauge.breach() == Some(Breach::Cpu) {
        return Ending::CpuLimit;
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Ending::PoolExhausted(format!("{error:#}"));
    }
    if is_host_limit(error) {
        return Ending::HostLimit(chain(error));
    }
    if gauge.breach() == Some(Breach::Memory) {
        return Ending::MemoryLimit;
    }
    Ending::Trap(describe(error))
}

fn is_host_limit(error: &Error) -> bool {
    if error.downcast_ref::<ResourceTableError>().is_some_and(|error| matches!(error, ResourceTableError::Full)) {
        return true;
    }
    // The engine keeps these error types to itself; their texts are pinned by the tests of hostile guests.
    error.chain().any(|cause| {
        let text = cause.to_string();
        text.contains("fuel allocated for hostcalls has been exhausted")
            || text.contains("too many handles")
            || text.contains("resource table has no free keys")
            || text.contains("total size of fields exceeds limit")
            || (text.starts_with("requested len ") && text.contains(" exceeds limit "))
    })
}

/// The trap's name first, then its causes and at most a few frames.
fn describe(error: &Error) -> String {
    const FRAMES_MAX: usize = 8;
    let mut text = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => chain(error),
    };
    if let Some(backtrace) = error.downcast_ref::<wasmtime::WasmBacktrace>() {
        for frame in backtrace.frames().iter().take(FRAMES_MAX) {
            // Writing to a string does not fail.
            let _ = match (frame.func_name(), frame.module_offset()) {
                (Some(name), _) => write!(text, "\n  at {name}"),
                // Stripped of its names; the offset is what tools that know the symbols ask for.
                (None, Some(offset)) => write!(text, "\n  at function {} (byte {offset:#x})", frame.func_index()),
                (None, None) => write!(text, "\n  at function {}", frame.func_index()),
            };
        }
    }
    text
}

fn chain(error: &Error) -> String {
    const LENGTH_MAX: usize = 2_000;
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // The backtrace is among the causes, as text of many lines.
        if text.contains(&cause) || cause.starts_with("error while executing at wasm backtrace") {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    if text.len() > LENGTH_MAX {
        let mut end = LENGTH_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}
