//! Components that are small, valid, and more than a compiler can take.

use super::{SMALL, pool, settings, tenant};
use crate::compiler::{CompileFailure, CompilerSettings, WorkerLimits};
use cumulet_engine::EngineClass;
use cumulet_spec::outcome::Fault;
use cumulet_spec::quantity::Bytes;
use std::fmt::Write as _;
use std::time::Duration;

/// A function in which every local passes through every loop: the compiler holds the product of the two, while the
/// component grows with their sum.
pub(super) fn bomb(locals: usize, loops: usize) -> Vec<u8> {
    let mut text = String::from("(component (core module (func (export \"f\") (param i32) (local");
    text.push_str(&" i64".repeat(locals));
    text.push(')');
    text.push_str(&" (loop".repeat(loops));
    for local in 1..locals {
        write!(text, " (local.set {local} (i64.add (local.get {local}) (local.get {})))", local + 1).unwrap();
    }
    text.push_str(&" (br_if 0 (local.get 0)))".repeat(loops));
    text.push_str(")))");
    wat::parse_str(text).unwrap()
}

/// Has a bomb compiled beside a neighbour's component, and returns what becomes of the bomb.
async fn explode(limits: WorkerLimits) -> CompileFailure {
    let pool = pool(CompilerSettings { processes: 2, limits, ..settings() });
    let component = bomb(3_000, 3_000);
    assert!(component.len() < 64 << 10, "{} bytes", component.len());
    let (attacker, neighbour) = (tenant("attacker"), tenant("neighbour"));
    let (bombed, served) = tokio::join!(
        pool.compile(&attacker, EngineClass::Plain, &component),
        pool.compile(&neighbour, EngineClass::Plain, SMALL),
    );
    served.unwrap();
    let failure = bombed.unwrap_err();
    assert_eq!((failure.fault(), failure.retry()), (Fault::Guest, false), "{failure:?}");
    // Nor does its owner lose more than that.
    pool.compile(&attacker, EngineClass::Plain, SMALL).await.unwrap();
    failure
}

#[tokio::test]
async fn memory_is_bounded() {
    let failure = explode(WorkerLimits { memory: Bytes::mib(192), time: Duration::from_secs(600) }).await;
    assert_eq!(failure.to_string(), "the compiler needed more than 192MiB");
}

#[tokio::test]
async fn time_is_bounded() {
    let failure = explode(WorkerLimits { memory: Bytes::gib(8), time: Duration::from_secs(1) }).await;
    assert_eq!(failure.to_string(), "the compiler took longer than 1s");
}
