//! A component on wasmtime with nothing around it: the least code that gives a request to a fresh instance.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use cumulet_spec::grant::Grants;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::oneshot;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::call::{Call, GuestRequest, collect};
use crate::ours::texts;

/// Instances that can exist at once.
const SLOTS: u32 = 64;
/// Between two ticks of the epoch, as in Cumulet.
const TICK: Duration = Duration::from_micros(500);
/// Ticks in a slice, as in Cumulet.
const SLICE_TICKS: u64 = 2;

/// Whether guest code checks in its loops and calls if its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epochs {
    /// It checks, and a thread moves the epoch on.
    On,
    /// It does not.
    Off,
}

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoOutbound,
    table: ResourceTable,
    config: Arc<WasiConfigVariables>,
}

/// Sends nothing.
struct NoOutbound;

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);
type WasiBody = UnsyncBoxBody<Bytes, Error>;

impl WasiHttpHooks for NoOutbound {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// A component that is linked once.
pub(crate) struct Bare {
    pre: ProxyPre<State>,
    config: Arc<WasiConfigVariables>,
    epochs: Epochs,
    _ticker: Option<Ticker>,
}

impl Bare {
    /// Compiles and links a 0.2 component that is given the configuration in `grants`, and nothing else of them.
    pub(crate) fn new(component: &Path, epochs: Epochs, grants: &Grants) -> Result<Self> {
        let engine = Engine::new(&config(epochs))?;
        let component = Component::from_file(&engine, component)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        wasmtime_wasi_config::add_to_linker(&mut linker, |state: &mut State| WasiConfig::from(&*state.config))?;
        let config = texts(grants).into_iter().collect();
        let pre = ProxyPre::new(linker.instantiate_pre(&component)?)?;
        let ticker = (epochs == Epochs::On).then(|| Ticker::start(engine));
        Ok(Self { pre, config: Arc::new(config), epochs, _ticker: ticker })
    }

    fn store(&self) -> Store<State> {
        let state = State {
            wasi: WasiCtx::builder().build(),
            http: WasiHttpCtx::new(),
            hooks: NoOutbound,
            table: ResourceTable::new(),
            config: Arc::clone(&self.config),
        };
        let mut store = Store::new(self.pre.engine(), state);
        if self.epochs == Epochs::On {
            store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(SLICE_TICKS)));
            store.set_epoch_deadline(SLICE_TICKS);
        }
        store
    }

    /// Makes a store and an instance, calls it, drops both; the response is only looked at.
    pub(crate) async fn touch(&self, request: GuestRequest) -> Result<u16> {
        let mut store = self.store();
        let instance = self.pre.instantiate_async(&mut store).await?;
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
        let (answer, mut answered) = oneshot::channel();
        let out = store.data_mut().http().new_response_outparam(answer)?;
        instance.wasi_http_incoming_handler().call_handle(&mut store, request, out).await?;
        match answered.try_recv() {
            Ok(Ok(response)) => Ok(response.status().as_u16()),
            Ok(Err(code)) => bail!("the guest answered with an error: {code:?}"),
            Err(_) => bail!("the guest did not answer"),
        }
    }

    /// The same, and reads the response's body while the guest writes it.
    pub(crate) async fn call(&self, request: GuestRequest) -> Result<Call> {
        let mut store = self.store();
        let instance = self.pre.instantiate_async(&mut store).await?;
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
        let (answer, answered) = oneshot::channel();
        let out = store.data_mut().http().new_response_outparam(answer)?;
        let read = async {
            let response = answered.await.context("the guest did not answer")?;
            collect(response.map_err(|code| anyhow::anyhow!("the guest answered with an error: {code:?}"))?).await
        };
        let handler = instance.wasi_http_incoming_handler();
        let (ended, call) = tokio::join!(handler.call_handle(&mut store, request, out), read);
        ended?;
        call
    }
}

fn config(epochs: Epochs) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * 8)
        .total_memories(SLOTS * 2)
        .total_tables(SLOTS * 4)
        .total_stacks(SLOTS)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10);
    if cumulet_engine::pagemap_scan_is_safe() {
        pool.pagemap_scan(Enabled::Auto);
    }
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .concurrency_support(false)
        .epoch_interruption(epochs == Epochs::On);
    config
}

/// Moves an engine's epoch on until it is dropped.
struct Ticker(Arc<AtomicBool>);

impl Ticker {
    fn start(engine: Engine) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                engine.increment_epoch();
            }
        });
        Self(over)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
