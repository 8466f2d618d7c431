//! A manifest becomes targets: each component read, compiled if need be, mapped, linked once.

use crate::compiler::CompileFailure;
use crate::componentize::ProgramError;
use crate::furnish::{self, blocking};
use crate::recipe::{Ingredient, Recipe};
use crate::target::{Crew, Routed, Target};
use crate::values::ValueError;
use crate::workshop::{Household, Workshop};
use bytes::Bytes;
use cumulet_artifact::{ComponentError, FetchError, FetchedStore, StoreError, read_component};
use cumulet_capability::{PrepareError, ProfileError, Root, RootsError, read_roots};
use cumulet_compose::ComposeError;
use cumulet_engine::inspect::InspectError;
use cumulet_meter::ledger::LedgerError;
use cumulet_spec::id::{AppId, ComponentName, Digest, TenantId};
use cumulet_spec::manifest::{Component, Manifest, Source};
use cumulet_spec::revision::{REVISION_FORMAT, Revision, RevisionComponent};
use cumulet_spec::route::{RouteConflict, RouteTable};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

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
    /// Its source is elsewhere, and nothing was fetched from there.
    #[error("its source is in a registry or behind a URL, and was not fetched")]
    Unfetched,
    /// What was fetched cannot be read.
    #[error(transparent)]
    Fetched(#[from] FetchError),
    /// Its bytes are no component.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// It exports no handler.
    #[error("it exports no HTTP handler, and is no program")]
    NotAHandler,
    /// It is a program in a core module, and that cannot be made a component.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// What its links lead to does not go together with it.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// It was not compiled.
    #[error(transparent)]
    Compile(#[from] CompileFailure),
    /// What was compiled does not load.
    #[error(transparent)]
    Map(#[from] cumulet_engine::LoadError),
    /// The compiled file cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its bytes cannot be kept, or are not there any more.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// Its usage could not be recorded.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
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
    /// A component's initialiser is being run.
    Initialising {
        /// The component.
        component: ComponentName,
    },
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
            LoadStep::Initialising { component } => write!(f, "running the initialiser of {component}"),
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

/// A component's bytes.
pub(crate) struct SourceBytes {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

/// The bytes of every component of an app.
pub(crate) type Sources = Arc<BTreeMap<ComponentName, SourceBytes>>;

/// An app as it was read: its components' bytes, and what it resolves to.
pub(crate) struct Resolved {
    pub(crate) sources: Sources,
    pub(crate) revision: Revision,
}

/// Makes every component of a manifest ready, for an app that belongs to whoever runs the node.
pub(crate) async fn load(
    workshop: &Arc<Workshop>,
    manifest: &Manifest,
    base_dir: &Path,
    progress: impl Fn(LoadStep),
) -> Result<Loaded, LoadError> {
    let resolved = resolve(manifest, base_dir).await?;
    let id = AppId::local(manifest.app.name.clone());
    let household = workshop.household(&id, resolved.revision.id()).map_err(of_any(manifest))?;
    let household = Household { base: base_dir.to_owned(), roots: extra_roots(manifest, base_dir)?, ..household };
    let mut targets: BTreeMap<ComponentName, Arc<Target>> = BTreeMap::new();
    for unit in resolved.revision.units() {
        let fail = |kind| LoadError { component: unit.name.clone(), kind };
        let work = (Recipe::of(unit), &resolved.sources);
        let code = obtain(workshop, &id.tenant, work, &progress).await.map_err(fail)?;
        let target = furnish::furnish(workshop, &household, unit, code).await.map_err(fail)?;
        targets.insert(unit.name.clone(), Arc::new(target));
    }
    let crew = Crew::new(targets);
    let routes = manifest.http.iter().filter_map(|route| Some((route.clone(), Crew::routed(&crew, &route.component)?)));
    let routes = RouteTable::new(routes.collect()).map_err(|conflict| of_any(manifest)(conflict.into()))?;
    Ok(Loaded { routes })
}

/// Reads the components of a manifest and says what it resolves to.
pub(crate) async fn resolve(manifest: &Manifest, base_dir: &Path) -> Result<Resolved, LoadError> {
    let mut sources = BTreeMap::new();
    for (name, component) in &manifest.components {
        let source = read_source(component, base_dir).await;
        sources.insert(name.clone(), source.map_err(|kind| LoadError { component: name.clone(), kind })?);
    }
    let resolved = |(name, component): (&ComponentName, &Component)| {
        let component = RevisionComponent {
            digest: sources.get(name)?.digest,
            limits: component.limits,
            grants: component.grants.clone(),
            link: component.link.clone(),
            reuse: component.reuse,
            snapshot: component.snapshot,
        };
        Some((name.clone(), component))
    };
    let revision = Revision {
        format: REVISION_FORMAT,
        app: manifest.app.name.clone(),
        version: manifest.app.version.clone(),
        components: manifest.components.iter().filter_map(resolved).collect(),
        routes: manifest.http.clone(),
        probe: manifest.app.probe.clone(),
        rollout: manifest.app.rollout.clone(),
        roots: Vec::new(),
    };
    Ok(Resolved { sources: Arc::new(sources), revision })
}

async fn read_source(component: &Component, base_dir: &Path) -> Result<SourceBytes, LoadErrorKind> {
    let (source, base_dir) = (component.source.clone(), base_dir.to_owned());
    blocking(move || {
        let (bytes, digest) = component_bytes(&source, &base_dir)?;
        Ok(SourceBytes { bytes, digest })
    })
    .await
}

/// A component's bytes with their digest: from its file, or from what was fetched, which is checked again. Blocks.
pub(crate) fn component_bytes(source: &Source, base_dir: &Path) -> Result<(Bytes, Digest), LoadErrorKind> {
    match source {
        Source::File(path) => {
            let (bytes, digest) = read_component(&base_dir.join(path))?;
            Ok((bytes.into(), digest))
        }
        Source::Oci { digest, .. } | Source::Url { digest, .. } => {
            let store = FetchedStore::find(base_dir)?.ok_or(LoadErrorKind::Unfetched)?;
            let fetched = store.get(digest)?;
            Ok((fetched.bytes, fetched.digest))
        }
    }
}

/// The compiled form: from the store if it is there and to be trusted, else compiled now.
pub(crate) async fn obtain(
    workshop: &Arc<Workshop>,
    tenant: &TenantId,
    (recipe, sources): (Recipe, &Sources),
    progress: &impl Fn(LoadStep),
) -> Result<Arc<crate::apps::Code>, LoadErrorKind> {
    let (name, digest) = (recipe.name().clone(), recipe.digest);
    let found = {
        let (workshop, limits) = (Arc::clone(workshop), recipe.limits);
        blocking(move || match furnish::find(&workshop, digest, &limits)? {
            Some(found) => furnish::map(&workshop, found),
            None => Ok(None),
        })
        .await?
    };
    if let Some(code) = found {
        progress(LoadStep::Ready { component: name, compiled_in: None });
        return Ok(code);
    }
    let sources = Arc::clone(sources);
    let bytes_of = move |one: &Ingredient| {
        let source = sources.get(&one.name).ok_or(LoadErrorKind::Interrupted)?;
        Ok(source.bytes.clone())
    };
    let started = crate::clock::now();
    let code = furnish::compile(workshop, tenant, (recipe, bytes_of), progress).await?;
    progress(LoadStep::Ready { component: name, compiled_in: Some(started.elapsed()) });
    Ok(code)
}

/// The certificates of an app's own authorities.
pub(crate) fn extra_roots(manifest: &Manifest, base_dir: &Path) -> Result<Vec<Root>, LoadError> {
    let mut roots = Vec::new();
    for path in &manifest.app.roots {
        let read = read_roots(&base_dir.join(path));
        roots.extend(read.map_err(|error| of_any(manifest)(error.into()))?);
    }
    Ok(roots)
}

/// What concerns the app as a whole is told of its first component.
pub(crate) fn of_any(manifest: &Manifest) -> impl Fn(LoadErrorKind) -> LoadError {
    let component = manifest.components.keys().next().cloned().unwrap_or_else(|| ComponentName::nearest("app"));
    move |kind| LoadError { component: component.clone(), kind }
}
