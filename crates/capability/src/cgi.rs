//! A program that answers one request by CGI: metadata in its environment, the body at its standard input, the answer at
//! its standard output.
//!
//! After RFC 3875; where a choice was left, it is explained in `docs/adr/0023-programs-by-cgi.md`.

mod environment;
mod head;
mod inlet;
mod outlet;
mod pipe;

use crate::cgi::inlet::Inlet;
use crate::cgi::outlet::Outlet;
use crate::exchange::{ClientBody, Exchange};
use crate::host::Host;
use crate::occupant::Occupant;
use std::future::poll_fn;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::InstancePre;
use wasmtime_wasi::{I32Exit, p2, p3};

pub use crate::cgi::environment::is_meta_variable;

/// What a program is linked to: its entry is `wasi:cli/run`, of WASI 0.2 or 0.3.
#[derive(Clone)]
pub(crate) enum Program {
    P2(p2::bindings::CommandPre<Host>),
    P3(p3::bindings::CommandPre<Host>),
}

impl Program {
    /// The program of a component; of WASI 0.3 if it has both entries. None if it has neither.
    pub(crate) fn of(pre: InstancePre<Host>) -> Option<Self> {
        let p3 = p3::bindings::CommandPre::new(pre.clone()).map(Self::P3).ok();
        p3.or_else(|| Self::of_p2(pre))
    }

    /// The same, where nothing of WASI 0.3 can be.
    pub(crate) fn of_p2(pre: InstancePre<Host>) -> Option<Self> {
        p2::bindings::CommandPre::new(pre).map(Self::P2).ok()
    }

    async fn run(&self, store: &mut Store<Host>) -> wasmtime::Result<Result<(), ()>> {
        match self {
            Self::P2(program) => {
                let program = program.instantiate_async(&mut *store).await?;
                program.wasi_cli_run().call_run(store).await
            }
            Self::P3(program) => {
                let program = program.instantiate_async(&mut *store).await?;
                store
                    .run_concurrent(async |accessor| {
                        let ended = program.wasi_cli_run().call_run(accessor).await?;
                        // What it wrote last may still be on its way.
                        poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
                        Ok(ended)
                    })
                    .await?
            }
        }
    }
}

/// What a program finds when it starts, besides what it was granted.
pub(crate) struct Call {
    pub(crate) head: http::request::Parts,
    pub(crate) stdin: Inlet,
    pub(crate) stdout: Outlet,
}

impl Call {
    /// Its environment: what describes the request, and what was granted.
    pub(crate) fn environment(&self, granted: &[(String, String)]) -> Vec<(String, String)> {
        environment::environment(&self.head, granted)
    }

    /// Its arguments, its name first.
    pub(crate) fn arguments(&self) -> Vec<String> {
        environment::arguments(&self.head)
    }
}

/// Runs a program from its start to its end. Its answer begins when its header block is complete.
pub(crate) async fn serve<B: ClientBody>(
    program: &Program,
    (store, occupant): (&mut Store<Host>, &Occupant),
    exchange: &Arc<Exchange>,
    request: http::Request<B>,
) -> wasmtime::Result<()> {
    let (head, body) = request.into_parts();
    let stdout = Outlet::new(exchange, &head.method);
    let call = Call { head, stdin: Inlet::new(body), stdout: stdout.clone() };
    store.data_mut().begin(&call, occupant);
    drop(call);
    let ended = match program.run(store).await {
        Err(error) if error.downcast_ref::<I32Exit>().is_some_and(|exit| exit.0 == 0) => Ok(()),
        Err(error) => Err(error),
        Ok(Ok(())) => Ok(()),
        Ok(Err(())) => Err(I32Exit(1).into()),
    };
    if ended.is_ok() {
        stdout.finish();
    }
    ended
}
