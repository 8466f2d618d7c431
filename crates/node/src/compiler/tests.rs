//! Compile processes as they are on a node: this test binary runs itself as one.

mod bomb;
mod fake;
mod initialiser;
mod life;

use super::worker::serve;
use super::{CompilerSettings, Pool, WorkerLimits, WorkerProgram};
use bytes::Bytes;
use cumulet_engine::{EngineClass, Engines, Fingerprints, PoolSettings, load};
use cumulet_spec::id::TenantId;
use cumulet_spec::quantity::{self, parse_duration};
use std::time::Duration;

/// The variable through which a process learns that it is one that compiles, and its limits.
const WORKER: &str = "CUMULET_TEST_WORKER";
const THE_WORKER_ITSELF: &str = "compiler::tests::compiles_as_a_process";
/// The smallest component that is more than empty.
const SMALL: &[u8] = b"(component (core module $m (memory 1) (func (export \"f\"))) (core instance (instantiate $m)))";

/// This test binary, as a compile process: what it prints goes nowhere, and its frames through descriptor 3.
fn this_program() -> WorkerProgram {
    let script = format!(
        "exec 3>&1 1>/dev/null; RUST_MIN_STACK=8388608 {WORKER}=\"$*\" exec '{}' --exact {THE_WORKER_ITSELF} --nocapture",
        std::env::current_exe().unwrap().display()
    );
    shell(&script)
}

fn shell(script: &str) -> WorkerProgram {
    WorkerProgram { path: "/bin/sh".into(), args: vec!["-c".into(), script.into(), "sh".into()] }
}

/// The part of the process; nothing in the run of all tests.
#[test]
fn compiles_as_a_process() {
    let Some(arguments) = std::env::var_os(WORKER) else { return };
    let arguments = arguments.into_string().unwrap();
    let words: Vec<&str> = arguments.split(' ').collect();
    let ["--memory", memory, "--time", time] = words[..] else { panic!("no limits: {arguments}") };
    let limits = WorkerLimits { memory: quantity::Bytes::parse(memory).unwrap(), time: parse_duration(time).unwrap() };
    let output = std::fs::OpenOptions::new().write(true).open("/proc/self/fd/3").unwrap();
    serve(limits, std::io::stdin(), output).unwrap();
}

fn engines() -> Engines {
    Engines::new(PoolSettings { slots: 2, pagemap_scan: false, ..PoolSettings::default() })
}

fn fingerprints() -> Fingerprints {
    Fingerprints::of_this_build().unwrap()
}

/// One process, and time enough for a machine that does other things as well.
fn settings() -> CompilerSettings {
    let limits = WorkerLimits { memory: quantity::Bytes::gib(1), time: Duration::from_secs(60) };
    CompilerSettings { processes: 1, limits, ready_time: Duration::from_secs(120), ..CompilerSettings::default() }
}

fn pool(settings: CompilerSettings) -> Pool {
    Pool::new(&fingerprints(), this_program(), settings)
}

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

#[tokio::test]
async fn what_is_compiled_apart_is_loaded_here() {
    let engines = engines();
    let compiler = super::Compiler::Apart(Pool::new(&fingerprints(), this_program(), settings()));
    let here = super::Compiler::Here(engines.clone());
    for class in EngineClass::ALL {
        let file = tempfile::NamedTempFile::new().unwrap();
        let code = compiler.compile(&tenant("a"), class, Bytes::from_static(SMALL)).await.unwrap();
        std::fs::write(file.path(), &code).unwrap();
        assert_eq!(load(&engines, class, file.path()).unwrap().class(), class);
        // Nor does it differ from what is compiled here.
        assert_eq!(code, here.compile(&tenant("a"), class, Bytes::from_static(SMALL)).await.unwrap());
    }
}

#[tokio::test]
async fn what_is_no_component_is_its_owners_fault() {
    let pool = pool(settings());
    let mut processes = Vec::new();
    for (bytes, text) in [
        (&b"nonsense"[..], "expected `(`"),
        (b"", "the component does not compile: "),
        (b"\0asm\x01\0\0\0", "the component does not compile: "),
        (b"(component (core module (func (result i32))))", "type mismatch"),
    ] {
        let failure = pool.compile(&tenant("a"), EngineClass::Plain, bytes).await.unwrap_err();
        assert!(matches!(failure, super::CompileFailure::Invalid(_)), "{failure:?}");
        assert!(failure.to_string().contains(text), "{failure}");
        assert!(!failure.retry());
        processes.extend(pool.idle_processes());
    }
    processes.dedup();
    assert_eq!(processes.len(), 1, "an error of the component is none of the process");
}
