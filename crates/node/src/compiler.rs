//! Components become machine code, apart from everything that serves.
//!
//! A compiler is a large program that reads what strangers wrote. On a node it runs in child processes with little
//! memory, little time and no files, one tenant at a time each: whatever a component makes of its compiler, the
//! component's owner gets an error and nobody else notices. See `docs/adr/0011-compile-apart.md`.
//!
//! `pool` hands out processes fairly by tenant, `process` is one of them as the node sees it, `worker` is what runs in
//! it, and `frame` is what the two say to each other.

mod failure;
mod frame;
mod pool;
mod process;
mod tail;
#[cfg(test)]
mod tests;
mod turns;
mod worker;

pub use crate::compiler::failure::CompileFailure;
pub use crate::compiler::frame::FrameError;
pub use crate::compiler::pool::{CompilerSettings, Pool};
pub use crate::compiler::process::WorkerProgram;
pub use crate::compiler::worker::{WorkerError, WorkerLimits, run_worker};

use bytes::Bytes;
use cumulet_engine::{EngineClass, Engines, Snapshot, SnapshotError, compile, snapshot};
use cumulet_spec::id::TenantId;

/// Where components are compiled.
#[derive(Debug)]
pub enum Compiler {
    /// In this process, on all cores and without limits: for one's own components.
    Here(Engines),
    /// In processes of their own: for anybody's.
    Apart(Pool),
}

impl Compiler {
    /// Compiles a component for a class of engine and returns the bytes of the compiled file. Waits for its turn.
    ///
    /// # Errors
    /// When the component does not compile within the limits, when too many compilations of this tenant wait already,
    /// or when no process can be had. [`CompileFailure::fault`] tells them apart.
    ///
    /// # Cancel safety
    /// A compilation whose future is dropped is given up: its process is ended. In this process it runs on unheard.
    pub async fn compile(
        &self,
        tenant: &TenantId,
        class: EngineClass,
        component: Bytes,
    ) -> Result<Vec<u8>, CompileFailure> {
        match self {
            Self::Here(engines) => compile_here(engines.clone(), class, component).await,
            Self::Apart(pool) => pool.compile(tenant, class, &component).await,
        }
    }

    /// Runs a component through its initialiser. Waits for its turn.
    ///
    /// # Errors
    /// As [`compile`](Self::compile), and when the initialiser breaks, does not end, or wants what is not there.
    ///
    /// # Cancel safety
    /// As [`compile`](Self::compile).
    pub async fn snapshot(&self, tenant: &TenantId, component: Bytes) -> Result<Snapshot, CompileFailure> {
        match self {
            Self::Here(_) => snapshot_here(component).await,
            Self::Apart(pool) => pool.snapshot(tenant, &component).await,
        }
    }
}

async fn snapshot_here(component: Bytes) -> Result<Snapshot, CompileFailure> {
    match tokio::task::spawn_blocking(move || snapshot(&component)).await {
        Ok(Ok(snapshot)) => Ok(snapshot),
        Ok(Err(SnapshotError::Engine(error))) => Err(CompileFailure::Refused(error.to_string())),
        Ok(Err(error)) => Err(CompileFailure::Initialiser(error.to_string())),
        Err(lost) => Err(CompileFailure::Crashed(lost.to_string())),
    }
}

async fn compile_here(engines: Engines, class: EngineClass, component: Bytes) -> Result<Vec<u8>, CompileFailure> {
    let work = tokio::task::spawn_blocking(move || compile(&engines, class, &component));
    match work.await {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error)) => Err(CompileFailure::Invalid(error.to_string())),
        Err(lost) => Err(CompileFailure::Crashed(lost.to_string())),
    }
}
