//! A manifest becomes targets: each component read, compiled if need be, mapped, linked once.

use crate::event::{ComponentOutput, EventQueue};
use crate::node::Workshop;
use crate::target::{Crew, Routed, Target};
use crate::values::{self, ValueError};
use cumulet_artifact::{CompiledKey, StoreError, read_component};
use cumulet_capability::{PrepareError, Prepared, Profile, ProfileError, Root, RootsError, Surroundings};
use cumulet_engine::inspect::{InspectError, Kind, inspect};
use cumulet_engine::{CompileError, Compiled, EngineClass, compile, load as map_compiled};
use cumulet_meter::{Admission, Lane, LaneLimits, Tally};
use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::{AppId, AppName, ComponentName, Digest};
use cumulet_spec::limit::Limits;
use cumulet_spec::manifest::{Component, Manifest, Source};
use cumulet_spec::route::{RouteConflict, RouteTable};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Memory beyond this is not to be had in the pool's slots, in bytes.
const POOL_MEMORY_BYTES_MAX: u64 = 4 << 30;

/// A component could not be made ready.
#[derive(Debug, Error)]
#[error("component `{component}` cannot be served")]
pub struct LoadError {
    /// The component.
    pub component: ComponentName,
    /// What is wrong with it.
    #[source]
    pub kind: LoadErrorKind,
}

/// What is wrong with a component.
#[derive(Debug, Error)]
pub enum LoadErrorKind {
    /// Its file cannot be read.
    #[error(transparent)]
    Source(#[from] cumulet_artifact::SourceError),
    /// Its source is not a file.
    #[error("its source is remote, and this node takes files only")]
    Remote,
    /// Its bytes are no component.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// It exports no handler.
    #[error("it exports no HTTP handler")]
    NotAHandler,
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// What was compiled does not load.
    #[error(transparent)]
    Map(#[from] cumulet_engine::LoadError),
    /// The compiled file cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A grant cannot be honoured.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A granted name that nothing stands behind.
    #[error("nothing is bound to the granted name `{0}`")]
    Unbound(String),
    /// A value cannot be had.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The app's root certificates cannot be read.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// It cannot be linked.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Two routes are the same.
    #[error(transparent)]
    Routes(#[from] RouteConflict),
    /// The work was lost.
    #[error("loading was interrupted")]
    Interrupted,
}

/// A step of loading, for whoever waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadStep {
    /// A component is being compiled.
    Compiling {
        /// The component.
        component: ComponentName,
        /// Size of its bytes.
        bytes: u64,
    },
    /// A component is ready.
    Ready {
        /// The component.
        component: ComponentName,
        /// How long its compilation took, when it was compiled anew.
        compiled_in: Option<Duration>,
    },
}

impl std::fmt::Display for LoadStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LoadStep::Compiling { component, bytes } => write!(f, "compiling {component} ({} KiB)", bytes >> 10),
            LoadStep::Ready { component, compiled_in: Some(time) } => {
                if time.as_secs() == 0 {
                    write!(f, "{component} compiled in {} ms", time.as_millis())
                } else {
                    write!(f, "{component} compiled in {:.1} s", time.as_secs_f64())
                }
            }
            LoadStep::Ready { component, compiled_in: None } => write!(f, "{component} ready"),
        }
    }
}

/// Everything of a manifest, ready to be put in place.
#[derive(Debug)]
pub struct Loaded {
    pub(crate) routes: RouteTable<Routed>,
}

/// What the components of one load share.
pub(crate) struct Context<'a> {
    pub(crate) workshop: &'a Arc<Workshop>,
    pub(crate) events: &'a Arc<EventQueue>,
    pub(crate) admission: &'a Arc<Admission>,
    pub(crate) base_dir: &'a Path,
    pub(crate) env: &'a [(String, String)],
    pub(crate) extra_roots: &'a [Root],
    pub(crate) turn: u64,
}

/// Makes every component of a manifest ready.
pub(crate) async fn load(
    context: &Context<'_>,
    manifest: &Manifest,
    progress: impl Fn(LoadStep),
) -> Result<Loaded, LoadError> {
    let mut targets: BTreeMap<ComponentName, Arc<Target>> = BTreeMap::new();
    for (name, component) in &manifest.components {
        let target = load_component(context, &manifest.app.name, (name, component), &progress).await;
        let target = target.map_err(|kind| LoadError { component: name.clone(), kind })?;
        targets.insert(name.clone(), Arc::new(target));
    }
    let crew = Crew::new(targets);
    let routes = manifest.http.iter().filter_map(|route| Some((route.clone(), Crew::routed(&crew, &route.component)?)));
    let routes = RouteTable::new(routes.collect());
    let routes = routes.map_err(|conflict| LoadError {
        component: manifest.components.keys().next().cloned().unwrap_or_else(|| ComponentName::nearest("app")),
        kind: conflict.into(),
    })?;
    Ok(Loaded { routes })
}

async fn load_component(
    context: &Context<'_>,
    app: &AppName,
    (name, component): (&ComponentName, &Component),
    progress: &impl Fn(LoadStep),
) -> Result<Target, LoadErrorKind> {
    let Source::File(source) = &component.source else { return Err(LoadErrorKind::Remote) };
    let source = read_source(context.base_dir.join(source), &component.limits).await?;
    let (compiled, compiled_in) = obtain(context, &source, || {
        progress(LoadStep::Compiling { component: name.clone(), bytes: source.bytes.len() as u64 });
    })
    .await?;
    progress(LoadStep::Ready { component: name.clone(), compiled_in });
    let grants = with_env(&component.grants, context.env);
    let sink = ComponentOutput::new(app.clone(), name.clone(), Arc::clone(context.events));
    let workshop = context.workshop;
    if let Some(name) = grants.postgres.iter().find(|name| !workshop.stores.is_bound(Capability::Postgres, name)) {
        return Err(LoadErrorKind::Unbound(format!("{}.{name}", Capability::Postgres)));
    }
    let id = AppId::local(app.clone());
    let (values, feed) = values::resolve(workshop, &id, &grants, context.base_dir)?;
    let around = Surroundings {
        app: &id,
        base: context.base_dir,
        sink: Arc::new(sink),
        values,
        stores: Arc::clone(&workshop.stores),
        extra_roots: context.extra_roots.to_vec(),
        clock_step: workshop.clock_step,
        witness: workshop.witness(name),
    };
    let profile = Profile::new(&grants, around).await?;
    let prepared = Prepared::new(&workshop.engines, &workshop.linkers, &compiled, Arc::new(profile))?;
    let limits = LaneLimits { concurrency: component.limits.concurrency, slots: prepared.slots() };
    let tally: Arc<Tally> = workshop.tally(app, name);
    let lane = Lane::new(limits, Arc::clone(context.admission), tally);
    Ok(Target::new((app.clone(), name.clone()), context.turn, (Arc::new(prepared), feed), lane, component))
}

/// A component's bytes, and where they are to run.
struct SourceBytes {
    bytes: Vec<u8>,
    digest: Digest,
    class: EngineClass,
}

async fn read_source(path: PathBuf, limits: &Limits) -> Result<Arc<SourceBytes>, LoadErrorKind> {
    let wants_large = limits.memory.0 > POOL_MEMORY_BYTES_MAX;
    blocking(move || {
        let (bytes, digest) = read_component(&path)?;
        let kind = inspect(&bytes)?.kind;
        let class = match kind {
            Kind::HttpP2 | Kind::HttpP3 if wants_large => EngineClass::Large,
            Kind::HttpP2 => EngineClass::Plain,
            Kind::HttpP3 => EngineClass::Async,
            _ => return Err(LoadErrorKind::NotAHandler),
        };
        Ok(Arc::new(SourceBytes { bytes, digest, class }))
    })
    .await
}

/// The compiled form: from the store if it is there and whole, else compiled now.
async fn obtain(
    context: &Context<'_>,
    source: &Arc<SourceBytes>,
    starts_compiling: impl FnOnce(),
) -> Result<(Compiled, Option<Duration>), LoadErrorKind> {
    let key = CompiledKey {
        digest: source.digest,
        class: source.class.label(),
        fingerprint: context.workshop.engines.fingerprint(source.class),
    };
    let class = source.class;
    let found = {
        let (workshop, key) = (Arc::clone(context.workshop), key.clone());
        blocking(move || find(&workshop, &key, class)).await?
    };
    if let Some(compiled) = found {
        return Ok((compiled, None));
    }
    starts_compiling();
    let (workshop, source) = (Arc::clone(context.workshop), Arc::clone(source));
    blocking(move || {
        let started = crate::clock::now();
        let code = compile(&workshop.engines, class, &source.bytes)?;
        let file = workshop.store.put(&key, &code)?;
        let compiled = map_compiled(&workshop.engines, class, &file.path_of_descriptor())?;
        Ok((compiled, Some(started.elapsed())))
    })
    .await
}

/// A compiled file that does not load, although its seal is right, was made by another build: it is compiled anew.
fn find(workshop: &Workshop, key: &CompiledKey, class: EngineClass) -> Result<Option<Compiled>, LoadErrorKind> {
    let Some(file) = workshop.store.find(key)? else { return Ok(None) };
    Ok(map_compiled(&workshop.engines, class, &file.path_of_descriptor()).ok())
}

fn with_env(grants: &Grants, env: &[(String, String)]) -> Grants {
    let mut grants = grants.clone();
    grants.env.extend(env.iter().cloned());
    grants
}

/// Runs work that blocks on a thread where that is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadErrorKind> + Send + 'static,
) -> Result<T, LoadErrorKind> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(LoadErrorKind::Interrupted))
}
