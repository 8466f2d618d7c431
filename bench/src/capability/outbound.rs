//! One outbound request after the other to a server in this process, beside the same from a pooled client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use cumulet_engine::EngineClass;
use cumulet_provider::{Bound, Stores};
use cumulet_spec::grant::{Grants, HttpOrigin};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{CALL_NS_MAX, COLUMNS, Run, Runs, calls, rows, run, through};
use crate::clock;
use crate::ours::Ours;
use crate::report::Table;
use crate::settings::Settings;

/// What the server answers, and the guest expects.
const ANSWER: &str = "hello";

/// How often a node's listeners look over their connections.
const SWEEP: Duration = Duration::from_secs(1);

/// All sides in turns. On one thread nothing is woken but that thread, so that what is left is work.
pub(super) fn measure(settings: &Settings, (runtime, threads): (&Runtime, &str), component: &Path) -> Result<Table> {
    let title = format!("outbound HTTP/1.1, kept-open connection, one caller, {threads}");
    let mut table = Table::new(title, &COLUMNS);
    let address = runtime.block_on(serve())?;
    // As a node's listeners do: a runtime without any timer wakes a thread for the first one that is set.
    let sweeps = runtime.spawn(async {
        let mut sweeps = tokio::time::interval(SWEEP);
        loop {
            sweeps.tick().await;
        }
    });
    let origin = HttpOrigin::parse(&format!("http://{address}")).context("an address is an origin")?;
    let grants = Grants { http: vec![origin.into()], ..Grants::default() };
    let data = tempfile::tempdir()?;
    let stores = Arc::new(Stores::new(data.path(), Bound::new()));
    let guest = Arc::new(runtime.block_on(Ours::with_stores(component, EngineClass::Plain, &grants, stores))?);
    // An invocation may send a thousand.
    let calls = calls(settings).min(900);
    let path = format!("/bench?do=fetch&authority={address}&n={calls}");
    let (mut direct_runs, mut apart_runs, mut guest_runs) = (Runs::default(), Runs::default(), Runs::default());
    for _ in 0..settings.repetitions() {
        direct_runs.push(&on_worker(runtime, direct(address, calls, Caller::Here))?);
        apart_runs.push(&on_worker(runtime, direct(address, calls, Caller::Task))?);
        let (guest, path) = (Arc::clone(&guest), path.clone());
        guest_runs.push(&on_worker(runtime, async move { through(&guest, &path).await })?);
    }
    let sides = [("provider", &direct_runs), ("provider, a task for each", &apart_runs), ("guest", &guest_runs)];
    sweeps.abort();
    rows(&mut table, ("http", "fetch"), &sides);
    Ok(table)
}

/// Runs on a thread of the runtime, as a node's guests do.
fn on_worker(runtime: &Runtime, work: impl Future<Output = Result<Run>> + Send + 'static) -> Result<Run> {
    runtime.block_on(runtime.spawn(work)).context("the task ended")?
}

/// A server that answers every request alike, for as long as the runtime lives.
async fn serve() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _peer)) = listener.accept().await {
            tokio::spawn(async move {
                let answer = service_fn(|_request| async {
                    Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes()))))
                });
                let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                // A client that goes away is how every connection ends.
                drop(served.await);
            });
        }
    });
    Ok(address)
}

/// Who waits for the answer.
#[derive(Clone, Copy)]
enum Caller {
    /// The caller itself.
    Here,
    /// A task of its own for each request, which is how the engine's host sends what guests ask for.
    Task,
}

async fn direct(address: SocketAddr, calls: u32, caller: Caller) -> Result<Run> {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let uri: http::Uri = format!("http://{address}/").parse()?;
    let mut histogram = Histogram::<u64>::new_with_bounds(1, CALL_NS_MAX, 3)?;
    for _ in 0..calls {
        let started = clock::now();
        let response = match caller {
            Caller::Here => client.get(uri.clone()).await?,
            Caller::Task => tokio::spawn(client.get(uri.clone())).await??,
        };
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(body == ANSWER, "the server answered {body:?}");
        histogram.saturating_record(u64::try_from(started.elapsed().as_nanos())?);
    }
    Ok(run(&histogram))
}
