//! Initialisers run where components are compiled, and harm nobody else.

use super::{engines, pool, settings, tenant};
use crate::compiler::{CompileFailure, Compiler};
use bytes::Bytes;
use cumulet_engine::Snapshot;
use cumulet_spec::outcome::Fault;

/// A component that is initialised by these instructions, which have a memory of one page.
fn initialised_by(instructions: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
          (core module $module (memory (export "memory") 1) (func (export "f") {instructions}))
          (core instance $instance (instantiate $module))
          (func (export "wizer-initialize") (canon lift (core func $instance "f"))))"#
    );
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn a_snapshot_is_the_same_wherever_it_is_taken() {
    let component = initialised_by("(i64.store (i32.const 9000) (i64.const 42))");
    let here = Compiler::Here(engines()).snapshot(&tenant("a"), Bytes::from(component.clone())).await.unwrap();
    let apart = pool(settings()).snapshot(&tenant("a"), &component).await.unwrap();
    assert_eq!(here, apart);
    let Snapshot::Taken(bytes) = here else { panic!("{here:?}") };
    assert_ne!(bytes, component);
}

#[tokio::test]
async fn an_initialiser_that_fails_is_its_owners_fault_and_costs_nobody_a_process() {
    let pool = pool(settings());
    let mut processes = Vec::new();
    for (instructions, text) in [
        ("unreachable", "trapped"),
        ("(loop (br 0))", "has not ended"),
        // A guard page and the stack of the guest are in the way of both.
        ("(drop (i64.load (i32.const -8)))", "out of bounds memory access"),
        ("(loop (br_if 0 (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) unreachable", "64MiB"),
    ] {
        let failure = pool.snapshot(&tenant("a"), &initialised_by(instructions)).await.unwrap_err();
        assert!(matches!(failure, CompileFailure::Initialiser(_)), "{failure:?}");
        assert!(failure.to_string().contains(text), "{failure}");
        assert_eq!((failure.fault(), failure.retry()), (Fault::Guest, false));
        processes.extend(pool.idle_processes());
    }
    processes.dedup();
    assert_eq!(processes.len(), 1, "{processes:?}");
}
