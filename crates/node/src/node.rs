//! A node: its engines, its listeners, its threads, and what it serves.

mod open;
#[cfg(test)]
mod tests;

use crate::admin::{AdminHandler, AdminListener, FirstTokenError};
use crate::books::Bookkeeper;
use crate::compiler::WorkerProgram;
use crate::deploy::{DeployError, DeployRequest, DeployedRevision, deploy};
use crate::event::{EventFormat, EventWriter};
use crate::load::{LoadError, LoadStep, Loaded, load};
use crate::logs::{LogError, Logs};
use crate::public::Public;
use crate::queue::{Queue, Runners};
use crate::serving::{Directory, Serving};
use crate::ship::{Ship, SweepError, Swept};
use crate::slice::Slicer;
use crate::tls::{Secured, TlsStartError};
use crate::values::Variables;
use crate::workshop::{Observe, Workshop};
use cumulet_artifact::{KeyError, StoreError};
use cumulet_capability::Asked;
use cumulet_control::RegistryError;
use cumulet_engine::{EngineError, Machine, Ticker};
use cumulet_gateway::{BindError, Drained};
use cumulet_meter::Tally;
use cumulet_meter::ledger::LedgerError;
use cumulet_spec::binding::{Binding, BindingError};
use cumulet_spec::grant::Capability;
use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::Manifest;
use cumulet_spec::node::NodeConfig;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub(crate) use self::open::loaded_files;

/// How long a drain waits for guests whose responses are out.
const GUESTS_END_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a drain waits for the operator's requests: those that wait for something end at its begin.
const ADMIN_END_TIME_MAX: Duration = Duration::from_secs(1);
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
    /// The registry of what is deployed cannot be opened.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The logs cannot be kept.
    #[error(transparent)]
    Logs(#[from] LogError),
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
    /// The folder of uploads cannot be made.
    #[error("cannot make the folder of uploads in {}", path.display())]
    Uploads {
        /// The data folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first token cannot be made.
    #[error(transparent)]
    FirstToken(#[from] FirstTokenError),
    /// TLS cannot be spoken as it was configured.
    #[error(transparent)]
    Tls(#[from] TlsStartError),
}

/// A node that serves.
#[derive(Debug)]
pub struct Node {
    workshop: Arc<Workshop>,
    serving: Arc<Serving>,
    url: String,
    tls_url: Option<String>,
    admin_url: String,
    /// Where the first token was written, if it was made just now.
    first_token: Option<PathBuf>,
    /// None where one app is served.
    ship: Option<Arc<Ship>>,
    stop: watch::Sender<bool>,
    open: watch::Sender<bool>,
    gateway: JoinHandle<Drained>,
    admin: JoinHandle<Drained>,
    // Dropped in this order: guests end before the threads that write their last events and records.
    _runners: Runners,
    /// End what waits in vain.
    _watches: JoinSet<()>,
    _writer: EventWriter,
    _bookkeeper: Bookkeeper,
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
        // Once, and before the pools are there: reading it lists every mapping of the process.
        let machine = Machine::read();
        let workshop = open::workshop(&options, &machine)?;
        let (events, journal) = (Arc::clone(&workshop.events), open::journal(&workshop));
        let (to, pulse) = (Box::new(io::stderr()), workshop.pulse.clone());
        let writer = EventWriter::start(events, options.events, to, journal, pulse).map_err(StartError::Thread)?;
        let bookkeeper = Bookkeeper::start(&workshop.books).map_err(StartError::Thread)?;
        // A slice lasts two ticks at most.
        let tick = workshop.accounts.config().limits.slice / 2;
        let ticker = Ticker::every(tick, workshop.engines.clone()).map_err(StartError::Thread)?;
        let queue = Arc::new(Queue::new(tokio::runtime::Handle::current()));
        let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let runners = Runners::start(&queue, threads).map_err(StartError::Thread)?;
        let tls = options.deployed.as_ref().and_then(|deployed| deployed.config.tls.as_ref());
        let secured = tls.map(Secured::open).transpose()?;
        let serving = Arc::new(Serving {
            directory: open::directory(&options, &workshop, &machine)?,
            admission: Arc::clone(&workshop.admission),
            slicer: Arc::new(Slicer::new(ticker)),
            queue,
            events: Arc::clone(&workshop.events),
            books: Arc::clone(&workshop.books),
            unrouted: Tally::default(),
            shelf: secured.as_ref().map(|secured| Arc::clone(&secured.shelf)),
        });
        let mut watches = JoinSet::new();
        watches.spawn(workshop.warm.end_idle());
        if let Directory::Deployed(apps) = &serving.directory {
            watches.spawn(Arc::clone(apps).unload_idle(workshop.accounts.config().limits.idle));
        }
        let public = Public::bind(&options, &serving, secured.as_ref())?;
        let (stop, stopped) = watch::channel(false);
        // What is deployed is there at once; one app has to be made ready first.
        let (open, opened) = watch::channel(options.deployed.is_some());
        let (url, tls_url) = (public.url(), public.tls_url());
        let ship = match &serving.directory {
            Directory::Deployed(apps) => Some(Ship::new(Arc::clone(apps), Arc::clone(&serving))),
            Directory::Installed(_) => None,
        };
        let api = ship.as_ref().map(|ship| open::api(ship, tls_url.as_ref().unwrap_or(&url))).transpose()?;
        let (api, first_token) = api.map_or((None, None), |(api, path)| (Some(api), path));
        let admin = AdminHandler::new(Arc::clone(&serving), Arc::clone(&workshop), opened.clone(), api);
        let admin = AdminListener::bind(options.admin, admin, secured.as_ref())?;
        Ok(Self {
            url,
            first_token,
            ship,
            tls_url,
            admin_url: admin.url(),
            gateway: tokio::spawn(public.serve(opened, stopped.clone())),
            admin: tokio::spawn(admin.serve(wait_for(stopped))),
            workshop,
            serving,
            stop,
            open,
            _runners: runners,
            _watches: watches,
            _writer: writer,
            _bookkeeper: bookkeeper,
        })
    }

    /// Where requests are answered.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the first token of this node was written, if it was made at this start.
    #[must_use]
    pub fn first_token(&self) -> Option<&Path> {
        self.first_token.as_deref()
    }

    /// Where requests are answered over TLS, if anywhere.
    #[must_use]
    pub fn tls_url(&self) -> Option<&str> {
        self.tls_url.as_deref()
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
        load(&self.workshop, manifest, base_dir, progress).await
    }

    /// Puts what was loaded in the place of what is served. Requests in flight finish on what they began with.
    pub fn install(&self, loaded: Loaded) {
        if let Directory::Installed(routes) = &self.serving.directory {
            routes.store(Arc::new(loaded.routes));
        }
        self.open.send_replace(true);
    }

    /// Deploys an app: from then on, and after any restart, its hosts are answered by it.
    ///
    /// # Errors
    /// When a component cannot be read, compiled or linked, a host is not the tenant's, or the registry refuses. What
    /// ran before runs on.
    pub async fn deploy(
        &self,
        request: DeployRequest<'_>,
        progress: impl Fn(LoadStep),
    ) -> Result<DeployedRevision, DeployError> {
        let Directory::Deployed(apps) = &self.serving.directory else { return Err(DeployError::NoRegistry) };
        deploy(apps, request, progress).await
    }

    /// The logs of the apps, where they are kept: of what is deployed.
    #[must_use]
    pub fn logs(&self) -> Option<&Logs> {
        self.workshop.logs.as_ref()
    }

    /// What each component asked for, where that is remembered.
    #[must_use]
    pub fn asked(&self) -> BTreeMap<ComponentName, BTreeMap<(Capability, String), Asked>> {
        self.workshop.witnesses.lock().iter().map(|(name, witness)| (name.clone(), witness.asked())).collect()
    }

    /// What the gateway calls for each request.
    #[cfg(test)]
    pub(crate) fn handler(&self) -> crate::serving::ServingHandler {
        crate::serving::ServingHandler(Arc::clone(&self.serving))
    }

    /// Forgets what tenants sent before a time, in microseconds since the Unix epoch, and what no revision is made of; and
    /// removes the files that are left over. A node does so by itself from time to time. Blocks.
    ///
    /// # Errors
    /// When a deploy is being received, what is in use cannot be told, or a file not be removed. Nothing is removed where
    /// one app is served.
    pub fn sweep(&self, before_us: u64) -> Result<Swept, SweepError> {
        self.ship.as_ref().map_or(Ok(Swept::default()), |ship| ship.sweep(before_us))
    }

    /// The sums of a component.
    #[cfg(test)]
    pub(crate) fn tally(&self, app: &cumulet_spec::id::AppName, component: &ComponentName) -> Arc<Tally> {
        self.workshop.tally(&cumulet_spec::id::AppId::local(app.clone()), component)
    }

    /// Accepts nothing more, finishes what runs, within bounds, and writes the last events.
    pub async fn drain(mut self) -> Drained {
        // Nobody listens when both listeners have failed before.
        let _unheard = self.stop.send(true);
        if let Some(ship) = &self.ship {
            ship.stop().await;
        }
        let drained = (&mut self.gateway).await.unwrap_or(Drained { finished: 0, cut: 0 });
        self.guests_end().await;
        // The operator's requests have nothing that must finish, but for a moment to say so.
        if tokio::time::timeout(ADMIN_END_TIME_MAX, &mut self.admin).await.is_err() {
            self.admin.abort();
            // It holds the data folder until it is gone. Ended by us or by itself is one to whoever drains.
            let _ended = (&mut self.admin).await;
        }
        drained
    }

    /// Waits, within a bound, for guests that go on after their response: their last event is still to come.
    async fn guests_end(&self) {
        let slots = self.serving.admission.slots();
        let ended = async {
            while slots.inside() > self.workshop.warm.slots_held() {
                tokio::time::sleep(GUESTS_END_LOOK).await;
            }
        };
        // What is not done by then is dropped with the run queue.
        let _cut = tokio::time::timeout(GUESTS_END_TIME_MAX, ended).await;
    }
}

/// Waits until a flag is set.
pub(crate) async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // An error means that the node is gone, which is a stop as well.
    let _gone = stopped.wait_for(|stopped| *stopped).await;
}
