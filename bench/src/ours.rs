//! A component on Cumulet's own engine and capabilities, in this process: no listener, no routes, no ledger.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use cumulet_capability::{
    Channel, Exchange, GuestEnd, Linkers, LiveConfig, OutputSink, Prepared, Profile, Surroundings, Values,
};
use cumulet_engine::{EngineClass, Engines, Gauge, Measured, PoolSettings, Ticker, compile, load};
use cumulet_provider::{Bound, Stores};
use cumulet_spec::grant::{ConfigSource, Grants};
use cumulet_spec::id::{AppId, AppName, RequestId};
use cumulet_spec::limit::Limits;
use tempfile::TempDir;

use crate::call::{Call, GuestRequest, collect};

/// Instances that can exist at once.
const SLOTS: u32 = 64;

/// Drops what guests print.
#[derive(Debug)]
struct Discard;

impl OutputSink for Discard {
    fn write(&self, _: &RequestId, _: Channel, _: Bytes) {}
    fn dropped(&self, _: u64) {}
}

/// A component that is ready to be called.
pub(crate) struct Ours {
    prepared: Arc<Prepared>,
    ticker: Ticker,
    limits: Limits,
    calls: AtomicU64,
    _files: TempDir,
}

/// What one call used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// Executed time, in milliseconds: what is billed.
    pub(crate) executed_ms: f64,
    /// The most that memories and tables came to, in MiB.
    pub(crate) peak_mib: f64,
}

/// The configuration values that stand in the manifest itself.
pub(crate) fn texts(grants: &Grants) -> BTreeMap<String, String> {
    let text = |source: &ConfigSource| match source {
        ConfigSource::Text(text) => Some(text.clone()),
        ConfigSource::File(_) | ConfigSource::Env(_) => None,
    };
    grants.config.iter().filter_map(|(key, source)| Some((key.clone(), text(source)?))).collect()
}

impl Ours {
    /// Compiles and links a component. The calling thread must be inside a runtime.
    pub(crate) async fn new(component: &Path, class: EngineClass, grants: &Grants) -> Result<Self> {
        let nowhere = std::env::temp_dir();
        Self::with_stores(component, class, grants, Arc::new(Stores::new(&nowhere, Bound::new()))).await
    }

    /// The same with stores, for a component that is granted some.
    pub(crate) async fn with_stores(
        component: &Path,
        class: EngineClass,
        grants: &Grants,
        stores: Arc<Stores>,
    ) -> Result<Self> {
        let engines = Engines::new(PoolSettings { slots: SLOTS, ..PoolSettings::default() });
        let linkers = Linkers::default();
        let bytes = std::fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
        let files = tempfile::tempdir().context("cannot make a folder for the compiled file")?;
        let path = files.path().join("component.cwasm");
        std::fs::write(&path, compile(&engines, class, &bytes)?).context("cannot write the compiled file")?;
        let compiled = load(&engines, class, &path)?;
        let app = AppId::local(AppName::nearest("bench"));
        let around = Surroundings {
            app: &app,
            base: files.path(),
            sink: Arc::new(Discard),
            values: Values { live: Arc::new(LiveConfig::new(texts(grants))), ..Values::default() },
            stores,
            extra_roots: Vec::new(),
            clock_step: None,
            witness: None,
        };
        let profile = Profile::new(grants, around).await?;
        let prepared = Prepared::new(&linkers, &compiled, Arc::new(profile))?;
        let ticker = Ticker::start(engines).context("cannot start the ticker")?;
        let calls = AtomicU64::new(0);
        Ok(Self { prepared: Arc::new(prepared), ticker, limits: Limits::default(), calls, _files: files })
    }

    fn exchange(&self) -> Arc<Exchange> {
        let cpu_nanos = u64::try_from(self.limits.cpu.as_nanos()).unwrap_or(u64::MAX);
        Arc::new(Exchange::new(Gauge::new(cpu_nanos, self.limits.memory.0)))
    }

    async fn run(&self, exchange: &Arc<Exchange>, request: GuestRequest) -> Result<()> {
        let id = RequestId::from_bits(self.calls.fetch_add(1, Ordering::Relaxed));
        let _running = self.ticker.running();
        let run = Arc::clone(&self.prepared).run(Arc::clone(exchange), id, request);
        Measured::new(exchange.gauge(), run).await;
        match exchange.end() {
            Some(GuestEnd::Finished) => Ok(()),
            other => bail!("the guest ended with {other:?}"),
        }
    }

    /// Runs a request in a fresh instance that is limited and measured; the response is only looked at.
    pub(crate) async fn touch(&self, request: GuestRequest) -> Result<u16> {
        let exchange = self.exchange();
        self.run(&exchange, request).await?;
        match exchange.take() {
            Some(Ok(response)) => Ok(response.status().as_u16()),
            other => bail!("the guest did not answer: {other:?}"),
        }
    }

    /// The same, and reads the response's body while the guest writes it.
    pub(crate) async fn call(&self, request: GuestRequest) -> Result<(Call, Used)> {
        let exchange = self.exchange();
        let read = async {
            let response = poll_fn(|context| exchange.poll_take(context)).await.context("the guest did not answer")?;
            collect(response.map_err(anyhow::Error::msg)?).await
        };
        let (ended, call) = tokio::join!(self.run(&exchange, request), read);
        ended?;
        let gauge = exchange.gauge();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (nanos, bytes) = (gauge.cpu_nanos() as f64, gauge.memory_peak_bytes() as f64);
        Ok((call?, Used { executed_ms: nanos / 1e6, peak_mib: bytes / 1_048_576.0 }))
    }
}
