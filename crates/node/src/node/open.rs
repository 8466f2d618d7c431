//! What a node starts with: its data folder opened, its engines and stores set up.

use super::{ServeOptions, StartError};
use crate::account::Accounts;
use crate::admin::{Api, FirstToken};
use crate::apps::{Apps, Codes, LoadBounds};
use crate::books::Books;
use crate::compiler::{Compiler, CompilerSettings, Pool};
use crate::event::{EventQueue, Journal};
use crate::logs::{Logs, Shelf};
use crate::pulse::Pulse;
use crate::serving::Directory;
use crate::ship::Ship;
use crate::warm::WarmInstances;
use crate::workshop::{Tallies, Workshop};
use arc_swap::ArcSwap;
use cumulet_artifact::{CompiledStore, ComponentStore, NodeKey, Uploads};
use cumulet_capability::Linkers;
use cumulet_control::Registry;
use cumulet_engine::{EngineClass, Engines, Fingerprints, Machine, PoolSettings};
use cumulet_meter::Admission;
use cumulet_meter::ledger::{Ledger, LedgerLimits, LedgerReader};
use cumulet_provider::{Bound, Stores};
use cumulet_spec::binding::{self, Address};
use cumulet_spec::node::NodeConfig;
use cumulet_spec::quantity::Bytes;
use cumulet_spec::route::RouteTable;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::RwLock;

/// Mappings of the process that one compiled file takes, at most.
const MAPPINGS_PER_FILE: u64 = 4;
/// The part of the machine's memory that loaded apps may take, unless the configuration says otherwise.
const LOADED_MEMORY_PART: u64 = 8;

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

/// What components are made ready with.
pub(super) fn workshop(options: &ServeOptions, machine: &Machine) -> Result<Arc<Workshop>, StartError> {
    let data_dir = options.data_dir.as_path();
    Workshop::make_folder(data_dir).map_err(|source| StartError::DataDir { path: data_dir.to_owned(), source })?;
    let key = NodeKey::open(data_dir)?;
    // Of what is deployed logs are kept; who serves an app by hand sees what it prints.
    let logs = options.deployed.as_ref().map(|_| Logs::make(data_dir)).transpose()?;
    let config = options.deployed.as_ref().map_or_else(NodeConfig::default, |deployed| deployed.config.clone());
    let mut pools = PoolSettings::for_machine(machine);
    pools.slots = config.limits.slots.unwrap_or(pools.slots);
    let (engines, linkers) = (Engines::new(pools), Linkers::default());
    // At once: protecting the stacks of a large pool takes milliseconds, and so does looking through the ledger's ring.
    // What WASI 0.3 needs is made for the first component that asks for it: its pool is twice as large.
    let (ready, books) = std::thread::scope(|threads| {
        let ready = threads.spawn(|| prepare(&engines, &linkers));
        let books = books(data_dir);
        (ready.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), books)
    });
    ready?;
    let (books, fingerprints) = (books?, Fingerprints::of_this_build()?);
    let compiler = match options.deployed.as_ref().and_then(|deployed| deployed.compiler.clone()) {
        Some(program) => Compiler::Apart(Pool::new(&fingerprints, program, CompilerSettings::of(config.compile))),
        None => Compiler::Here(engines.clone()),
    };
    let admission = Admission::new(engines.settings().slots);
    Ok(Arc::new(Workshop {
        linkers,
        compiler,
        store: CompiledStore::open(data_dir, key.clone())?,
        components: ComponentStore::open(data_dir)?,
        arrivals: RwLock::default(),
        codes: Codes::new(),
        stores: Arc::new(Stores::new(data_dir, bound(options)?)),
        data_dir: data_dir.to_owned(),
        key,
        variables: Arc::new(options.variables.clone()),
        env: options.env.clone(),
        clock_step: options.clock_step,
        pulse: options.deployed.as_ref().map(|_| Arc::new(Pulse::new(books.calendar, books.now_us()))),
        books,
        accounts: Accounts::new(config),
        events: EventQueue::new(),
        logs,
        warm: WarmInstances::new(&admission),
        admission,
        tallies: match options.deployed {
            Some(_) => Tallies::Node(Arc::default()),
            None => Tallies::Each(Mutex::default()),
        },
        observe: options.observe,
        witnesses: Mutex::default(),
        fingerprints,
        next_turn: AtomicU64::new(0),
        engines,
    }))
}

/// Makes what nearly every component needs.
fn prepare(engines: &Engines, linkers: &Linkers) -> Result<(), StartError> {
    engines.get(EngineClass::Plain)?;
    linkers.prepare(engines, EngineClass::Plain).map_err(|error| StartError::Link(format!("{error:#}")))
}

fn books(data_dir: &Path) -> Result<Arc<Books>, StartError> {
    let ledger = Ledger::open(data_dir, LedgerLimits::default())?;
    Ok(Books::open(ledger, LedgerReader::open(data_dir)?)?)
}

/// The API, and where the first token was written if it was made just now. What was being deployed goes on.
pub(super) fn api(ship: &Arc<Ship>, url: &str) -> Result<(Arc<Api>, Option<PathBuf>), StartError> {
    let data_dir = &ship.apps.workshop.data_dir;
    let uploads = Uploads::open(data_dir).map_err(|source| StartError::Uploads { path: data_dir.clone(), source })?;
    let first = FirstToken::ensure(&ship.apps.registry, data_dir, ship.now_us())?;
    ship.resume()?;
    if let Some(verdicts) = ship.apps.workshop.pulse.as_ref().and_then(|pulse| pulse.verdicts()) {
        ship.heed(verdicts);
    }
    ship.keep_clean();
    Ok((Api::new(Arc::clone(ship), uploads, url.to_owned()), first))
}

/// What writes events to the logs, where there are any.
pub(super) fn journal(workshop: &Workshop) -> Option<Journal> {
    let logs = workshop.logs.as_ref()?;
    let shelf = Shelf::new(logs, workshop.accounts.config().logs, workshop.books.now_us());
    Some(Journal::new(shelf, workshop.books.calendar))
}

/// What requests are looked up in.
pub(super) fn directory(
    options: &ServeOptions,
    workshop: &Arc<Workshop>,
    machine: &Machine,
) -> Result<Directory, StartError> {
    let Some(deployed) = &options.deployed else {
        return Ok(Directory::Installed(ArcSwap::from_pointee(RouteTable::default())));
    };
    let registry = Registry::open(&options.data_dir)?;
    let bounds = load_bounds(machine, deployed.config.limits.loaded);
    Ok(Directory::Deployed(Apps::new(registry, Arc::clone(workshop), &deployed.config.domain, bounds)))
}

/// How many compiled files the machine, and the files that may be open, let this process load at once.
pub(crate) fn loaded_files(machine: &Machine, descriptors: u64) -> u64 {
    (machine.mappings_max / 2 / MAPPINGS_PER_FILE).min(descriptors / 2)
}

/// What may be loaded at once: unless the configuration says how much memory, a part of the machine's; and in any case no
/// more files than the system lets this process map and hold open.
fn load_bounds(machine: &Machine, bytes: Option<Bytes>) -> LoadBounds {
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let files = loaded_files(machine, descriptors);
    LoadBounds { bytes: bytes.map_or(machine.memory_bytes / LOADED_MEMORY_PART, |bytes| bytes.0), files }
}
