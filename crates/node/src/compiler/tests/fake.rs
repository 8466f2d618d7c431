//! Programs that are no compile process, or one that belongs to somebody else.

use super::{SMALL, fingerprints, settings, shell, tenant, this_program};
use crate::compiler::frame::Kind;
use crate::compiler::process::Process;
use crate::compiler::{CompileFailure, CompilerSettings, Pool, WorkerLimits, WorkerProgram};
use cumulet_engine::EngineClass;
use cumulet_spec::outcome::Fault;
use std::error::Error as _;
use std::time::Duration;

/// A frame that says that the process is ready, for `printf`.
const READY: &str = r"printf '\001\101\000\000\000\000'";

async fn fails(program: WorkerProgram, settings: CompilerSettings) -> String {
    let pool = Pool::new(&fingerprints(), program, settings);
    let failure = pool.compile(&tenant("a"), EngineClass::Plain, SMALL).await.unwrap_err();
    assert!(pool.idle_processes().is_empty(), "it is not used again");
    if !matches!(failure, CompileFailure::Crashed(_)) {
        assert_eq!(failure.fault(), Fault::Host, "{failure:?}");
    }
    match failure.source() {
        Some(source) => format!("{failure}: {source}"),
        None => failure.to_string(),
    }
}

#[tokio::test]
async fn what_does_not_speak_as_it_should_is_refused() {
    let check = async |script: &str, text: &str| {
        assert_eq!(fails(shell(script), settings()).await, text, "{script}");
    };
    let garbled = |rest: &str| format!("the compile process does not speak as it should: {rest}");
    check("exec cat", &garbled("a frame hello where another belongs")).await;
    check("echo hello, node", &garbled("a frame of version 104 instead of 1")).await;
    check(&format!("{READY}; {READY}; exec cat"), &garbled("a frame ready where another belongs")).await;
    let long = r"printf '\001\102\377\377\377\377'";
    check(&format!("{READY}; {long}; exec cat"), &garbled("a frame compiled of 4294967295 bytes")).await;
    check(r"printf '\001\105\000\000\000\002no'; exec cat >/dev/null", "the compile process refused: no").await;
}

#[tokio::test]
async fn what_ends_is_noticed() {
    let check = async |script: &str, text: &str| {
        assert_eq!(fails(shell(script), settings()).await, text, "{script}");
    };
    let start = "the compile process could not be started: it ended at once: ";
    check("exit 3", &format!("{start}exit status: 3")).await;
    let broke = "the compiler broke on this component ";
    check(&format!("{READY}; exit 4"), &format!("{broke}(exit status: 4)")).await;
    check(&format!("{READY}; kill -SEGV $$"), &format!("{broke}(signal: 11 (SIGSEGV))")).await;
    check(&format!("{READY}; kill -KILL $$"), "the compile process was killed from outside").await;
    let half = r"printf '\001\102\000\000\000\011half'";
    check(&format!("{READY}; {half}; exit 5"), &format!("{broke}(exit status: 5)")).await;
}

#[tokio::test]
async fn what_cannot_be_started_is_our_fault() {
    let program = WorkerProgram { path: "/nowhere/cumulet".into(), args: Vec::new() };
    let text = fails(program, settings()).await;
    assert_eq!(text, "the compile process could not be started: No such file or directory (os error 2)");
}

#[tokio::test]
async fn what_hangs_is_ended() {
    let soon = Duration::from_millis(20);
    let text = fails(shell("exec sleep 600"), CompilerSettings { ready_time: soon, ..settings() }).await;
    assert_eq!(text, "the compile process was not ready within 20ms");
    let limits = WorkerLimits { time: soon, ..settings().limits };
    let text = fails(shell(&format!("{READY}; exec sleep 600")), CompilerSettings { limits, ..settings() }).await;
    assert_eq!(text, "the compile process did not answer within 600ms");
}

#[tokio::test]
async fn a_process_of_another_release_refuses() {
    let hello = [b'0'; 48];
    let failure = Process::start(&this_program(), &settings(), &hello).await.unwrap_err();
    let text = "the compile process refused: it is of another release than the node, or has other settings";
    assert_eq!(failure.to_string(), text);
}

#[tokio::test]
async fn what_a_process_complains_about_is_kept() {
    let script = format!("{READY}; yes 'a complaint' | head -c 300000 >&2; kill -SEGV $$");
    let mut process = Process::start(&shell(&script), &settings(), b"").await.unwrap();
    process.work(Kind::Compile, &[&[1], SMALL]).await.unwrap_err();
    let tail = process.tail();
    assert!(tail.len() <= 4 << 10 && tail.contains("\na complaint\na complaint"), "{tail}");
}
