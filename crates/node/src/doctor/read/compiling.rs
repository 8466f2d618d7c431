//! Starts a compile process as a node does, and lets it compile something small.

use super::super::facts::Compiling;
use crate::clock::now;
use crate::compiler::{Compiler, CompilerSettings, Pool, WorkerProgram};
use bytes::Bytes;
use cumulet_engine::{EngineClass, Fingerprints};
use cumulet_spec::id::TenantId;
use std::error::Error;

/// About the smallest component that has a memory.
const COMPONENT: &[u8] =
    b"(component (core module $m (memory 1) (func (export \"f\"))) (core instance (instantiate $m)))";

pub(super) async fn try_out(program: WorkerProgram) -> Compiling {
    match attempt(program).await {
        Ok(micros) => Compiling::Worked(micros),
        Err(error) => Compiling::Failed(crate::chain::chain(&*error)),
    }
}

async fn attempt(program: WorkerProgram) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let compiler = Compiler::Apart(Pool::new(&Fingerprints::of_this_build()?, program, CompilerSettings::default()));
    let begun = now();
    compiler.compile(&TenantId::local(), EngineClass::Plain, Bytes::from_static(COMPONENT)).await?;
    Ok(u64::try_from(now().saturating_duration_since(begun).as_micros()).unwrap_or(u64::MAX))
}
