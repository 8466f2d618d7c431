//! A node: its engines, its listeners, its threads, and what it serves.

#[cfg(test)]
mod tests;

use crate::admin::AdminHandler;
use crate::compiler::WorkerProgram;
use crate::event::{EventFormat, EventQueue, EventWriter};
use crate::load::{Context, LoadError, LoadStep, Loaded, load};
use crate::queue::{Queue, Runners};
use crate::serving::{Serving, ServingHandler};
use crate::slice::Slicer;
use crate::values::Variables;
use arc_swap::ArcSwap;
use cumulet_artifact::{CompiledStore, KeyError, NodeKey, StoreError};
use cumulet_capability::{Asked, Linkers, Root, Witness, read_roots};
use cumulet_engine::{EngineError, Engines, PoolSettings, Ticker};
use cumulet_gateway::{BindError, Drained, Gateway, GatewayConfig};
use cumulet_meter::{Admission, Tally};
use cumulet_provider::{Bound, Stores};
use cumulet_spec::binding::{self, Address, Binding, BindingError};
use cumulet_spec::grant::Capability;
use cumulet_spec::id::{AppName, ComponentName};
use cumulet_spec::manifest::Manifest;
use cumulet_spec::node::NodeConfig;
use cumulet_spec::route::RouteTable;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a drain waits for guests whose responses are out.
const GUESTS_END_TIME_MAX: Duration = Duration::from_secs(10);
/// How often it looks.
const GUESTS_END_LOOK: Duration = Duration::from_millis(2);

/// How to serve.
#[derive(Debug)]
pub struct ServeOptions {
    /// Where requests are answered; port 0 picks one.
    pub listen: SocketAddr,
    /// Where the operator looks; port 0 picks one.
    pub admin: SocketAddr,
    /// Where compiled components and the node's key are kept.
    pub data_dir: PathBuf,
    /// Environment variables for every component.
    pub env: Vec<(String, String)>,
    /// The environment that values, secrets and the addresses of bindings may come from.
    pub variables: Variables,
    /// What stands behind granted names; an embedded store where there is nothing.
    pub bindings: Vec<Binding>,
    /// Whether what components ask for is remembered.
    pub observe: Observe,
    /// The steps in which guests' clocks move; as fine as the system's when there are none.
    pub clock_step: Option<Duration>,
    /// How events are written.
    pub events: EventFormat,
    /// Threads that run guests after their first slice; by default one for each core.
    pub threads: Option<usize>,
    /// How to serve what is deployed; when absent, one app is served: what [`Node::load`] makes ready.
    pub deployed: Option<DeployedOptions>,
}

/// How to serve what is deployed.
#[derive(Debug, Clone)]
pub struct DeployedOptions {
    /// Domain, tenants, quotas, bounds.
    pub config: NodeConfig,
    /// The program that compiles apart from this process; in this process when there is none.
    pub compiler: Option<WorkerProgram>,
}

#[cfg(test)]
impl ServeOptions {
    /// On free ports, with two threads for guests.
    pub(crate) fn for_tests(data_dir: &Path) -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any_port,
            admin: any_port,
            data_dir: data_dir.to_owned(),
            env: Vec::new(),
            variables: Variables::new(),
            bindings: Vec::new(),
            observe: Observe::Nothing,
            clock_step: None,
            events: EventFormat::Json,
            threads: Some(2),
            deployed: None,
        }
    }
}

/// What is remembered of what components ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observe {
    /// Nothing.
    Nothing,
    /// What was granted and what was denied, with counts: see [`Node::asked`].
    Grants,
}

/// A node could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("cannot create the data folder {}", path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The node's key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store of compiled files cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A binding whose variable is not set.
    #[error("the address of `{0}` comes from the variable `{1}`, which is not set")]
    Unset(String, String),
    /// A binding whose variable holds no address for it.
    #[error("the address of `{0}` is of another kind")]
    Address(String, #[source] BindingError),
    /// An engine cannot be set up.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The linkers cannot be filled.
    #[error("cannot fill the linkers: {0:#}")]
    Link(String),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// An address cannot be listened at.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// What components are made ready with.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) engines: Engines,
    pub(crate) linkers: Linkers,
    pub(crate) store: CompiledStore,
    pub(crate) stores: Arc<Stores>,
    pub(crate) data_dir: PathBuf,
    pub(crate) key: NodeKey,
    pub(crate) variables: Arc<Variables>,
    pub(crate) clock_step: Option<Duration>,
    observe: Observe,
    witnesses: Mutex<BTreeMap<ComponentName, Arc<Witness>>>,
    tallies: Mutex<BTreeMap<(AppName, ComponentName), Arc<Tally>>>,
}

impl Workshop {
    /// Who remembers what a component asks for, over all of its revisions; nobody unless that was asked for.
    pub(crate) fn witness(&self, component: &ComponentName) -> Option<Arc<Witness>> {
        match self.observe {
            Observe::Nothing => None,
            Observe::Grants => Some(Arc::clone(self.witnesses.lock().entry(component.clone()).or_default())),
        }
    }

    /// The sums of a component, which outlive its revisions.
    pub(crate) fn tally(&self, app: &AppName, component: &ComponentName) -> Arc<Tally> {
        Arc::clone(self.tallies.lock().entry((app.clone(), component.clone())).or_default())
    }

    /// The sums of all components that were ever loaded.
    pub(crate) fn tallies(&self) -> Vec<((AppName, ComponentName), Arc<Tally>)> {
        self.tallies.lock().iter().map(|(names, tally)| (names.clone(), Arc::clone(tally))).collect()
    }
}

/// A node that serves.
#[derive(Debug)]
pub struct Node {
    workshop: Arc<Workshop>,
    serving: Arc<Serving>,
    base: Base,
    url: String,
    admin_url: String,
    stop: watch::Sender<bool>,
    open: watch::Sender<bool>,
    gateway: JoinHandle<Drained>,
    admin: JoinHandle<Drained>,
    // Dropped in this order: guests end before the thread that writes their last events.
    _runners: Runners,
    _writer: EventWriter,
}

#[derive(Debug)]
struct Base {
    env: Vec<(String, String)>,
    next_turn: AtomicU64,
}

impl Node {
    /// Opens the listeners and starts the threads. Connections are taken once something is installed; until then they
    /// wait with the system. The admin listener answers at once.
    ///
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// When an address is taken, the data folder cannot be used, or the machine refuses what the engines need.
    pub fn start(options: ServeOptions) -> Result<Self, StartError> {
        let workshop = open_workshop(&options)?;
        let events = EventQueue::new();
        let writer = EventWriter::start(Arc::clone(&events), options.events, Box::new(io::stderr()))
            .map_err(StartError::Thread)?;
        let ticker = Ticker::start(workshop.engines.all()).map_err(StartError::Thread)?;
        let queue = Arc::new(Queue::default());
        let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let runners =
            Runners::start(&queue, threads, &tokio::runtime::Handle::current()).map_err(StartError::Thread)?;
        let serving = Arc::new(Serving {
            routes: ArcSwap::from_pointee(RouteTable::default()),
            admission: Admission::new(workshop.engines.settings().slots),
            slicer: Arc::new(Slicer::new(ticker)),
            queue,
            events,
            unrouted: Tally::default(),
        });
        let gateway = Gateway::bind(options.listen, GatewayConfig::default(), ServingHandler(Arc::clone(&serving)))?;
        let (stop, stopped) = watch::channel(false);
        let (open, opened) = watch::channel(false);
        let admin = AdminHandler::new(Arc::clone(&serving), Arc::clone(&workshop), opened.clone());
        let admin = Gateway::bind(options.admin, GatewayConfig::default(), admin)?;
        Ok(Self {
            url: format!("http://{}/", gateway.local_addr()),
            admin_url: format!("http://{}/", admin.local_addr()),
            gateway: tokio::spawn(serve_once_open(gateway, opened, stopped.clone())),
            admin: tokio::spawn(admin.serve(wait_for(stopped))),
            workshop,
            serving,
            base: Base { env: options.env, next_turn: AtomicU64::new(0) },
            stop,
            open,
            _runners: runners,
            _writer: writer,
        })
    }

    /// Where requests are answered.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the operator looks.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Makes every component of a manifest ready, without serving it yet. Relative paths are taken from `base_dir`.
    ///
    /// # Errors
    /// When a component cannot be read, compiled or linked. What is served stays as it is.
    pub async fn load(
        &self,
        manifest: &Manifest,
        base_dir: &Path,
        progress: impl Fn(LoadStep),
    ) -> Result<Loaded, LoadError> {
        let context = Context {
            workshop: &self.workshop,
            events: &self.serving.events,
            admission: &self.serving.admission,
            base_dir,
            env: &self.base.env,
            extra_roots: &extra_roots(manifest, base_dir)?,
            turn: self.base.next_turn.fetch_add(1, Ordering::Relaxed),
        };
        load(&context, manifest, progress).await
    }

    /// Puts what was loaded in the place of what is served. Requests in flight finish on what they began with.
    pub fn install(&self, loaded: Loaded) {
        self.serving.routes.store(Arc::new(loaded.routes));
        self.open.send_replace(true);
    }

    /// What each component asked for, where that is remembered.
    #[must_use]
    pub fn asked(&self) -> BTreeMap<ComponentName, BTreeMap<(Capability, String), Asked>> {
        self.workshop.witnesses.lock().iter().map(|(name, witness)| (name.clone(), witness.asked())).collect()
    }

    /// What the gateway calls for each request.
    #[cfg(test)]
    pub(crate) fn handler(&self) -> ServingHandler {
        ServingHandler(Arc::clone(&self.serving))
    }

    /// The sums of a component.
    #[cfg(test)]
    pub(crate) fn tally(&self, app: &AppName, component: &ComponentName) -> Arc<Tally> {
        self.workshop.tally(app, component)
    }

    /// Accepts nothing more, finishes what runs, within bounds, and writes the last events.
    pub async fn drain(mut self) -> Drained {
        // Nobody listens when both listeners have failed before.
        let _unheard = self.stop.send(true);
        let drained = (&mut self.gateway).await.unwrap_or(Drained { finished: 0, cut: 0 });
        self.guests_end().await;
        // The admin listener has nothing that must finish.
        self.admin.abort();
        drained
    }

    /// Waits, within a bound, for guests that go on after their response: their last event is still to come.
    async fn guests_end(&self) {
        let slots = self.serving.admission.slots();
        let ended = async {
            while slots.inside() > 0 {
                tokio::time::sleep(GUESTS_END_LOOK).await;
            }
        };
        // What is not done by then is dropped with the run queue.
        let _cut = tokio::time::timeout(GUESTS_END_TIME_MAX, ended).await;
    }
}

/// The certificates of an app's own authorities.
fn extra_roots(manifest: &Manifest, base_dir: &Path) -> Result<Vec<Root>, LoadError> {
    let mut roots = Vec::new();
    for path in &manifest.app.roots {
        let of_any = || manifest.components.keys().next().cloned().unwrap_or_else(|| ComponentName::nearest("app"));
        let read = read_roots(&base_dir.join(path));
        roots.extend(read.map_err(|error| LoadError { component: of_any(), kind: error.into() })?);
    }
    Ok(roots)
}

/// Accepts nothing before the first revision is there: nobody is told that there is no route while it is being made.
async fn serve_once_open(
    gateway: Gateway<ServingHandler>,
    opened: watch::Receiver<bool>,
    stopped: watch::Receiver<bool>,
) -> Drained {
    tokio::select! {
        () = wait_for(opened) => gateway.serve(wait_for(stopped)).await,
        () = wait_for(stopped.clone()) => Drained { finished: 0, cut: 0 },
    }
}

async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // An error means that the node is gone, which is a stop as well.
    let _gone = stopped.wait_for(|stopped| *stopped).await;
}

/// The address of each binding.
fn bound(options: &ServeOptions) -> Result<Bound, StartError> {
    let mut bound = Bound::new();
    for binding in &options.bindings {
        let url = match &binding.address {
            Address::Url(url) => url.clone(),
            Address::Env(variable) => {
                let unset = || StartError::Unset(binding.to_string(), variable.clone());
                let text = options.variables.get(variable).ok_or_else(unset)?;
                binding::url(binding.capability, text)
                    .map_err(|error| StartError::Address(binding.to_string(), error))?
            }
        };
        bound.insert((binding.capability, binding.name.clone()), url);
    }
    Ok(bound)
}

fn open_workshop(options: &ServeOptions) -> Result<Arc<Workshop>, StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let data_dir = options.data_dir.as_path();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(|source| StartError::DataDir { path: data_dir.to_owned(), source })?;
    let key = NodeKey::open(data_dir)?;
    let store = CompiledStore::open(data_dir, key.clone())?;
    let stores = Arc::new(Stores::new(data_dir, bound(options)?));
    let engines = Engines::new(PoolSettings::default())?;
    let linkers = Linkers::new(&engines).map_err(|error| StartError::Link(format!("{error:#}")))?;
    Ok(Arc::new(Workshop {
        engines,
        linkers,
        store,
        stores,
        data_dir: data_dir.to_owned(),
        key,
        variables: Arc::new(options.variables.clone()),
        clock_step: options.clock_step,
        observe: options.observe,
        witnesses: Mutex::default(),
        tallies: Mutex::default(),
    }))
}
