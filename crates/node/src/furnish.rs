//! A component becomes a target: its code is found, mapped and shared, and linked to what it was granted.

use crate::apps::Code;
use crate::event::{ComponentOutput, Place};
use crate::load::{LoadErrorKind, LoadStep};
use crate::recipe::{Ingredient, Part, Recipe};
use crate::target::{Target, TargetParts};
use crate::values::{self, Feed};
use crate::workshop::{Household, Workshop};
use bytes::Bytes;
use cumulet_artifact::{CompiledKey, VerifiedFile};
use cumulet_capability::{Prepared, Profile, Surroundings};
use cumulet_engine::inspect::{Kind, inspect};
use cumulet_engine::{EngineClass, Snapshot, load as map_compiled};
use cumulet_meter::{Lane, LaneLimits};
use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::{ComponentName, Digest, TenantId};
use cumulet_spec::limit::Limits;
use cumulet_spec::revision::Unit;
use std::sync::Arc;

/// Memory beyond this is not to be had in the pool's slots, in bytes.
const POOL_MEMORY_BYTES_MAX: u64 = 4 << 30;

/// Code that was found.
pub(crate) enum Found {
    /// Some app runs on it already.
    Mapped(Arc<Code>),
    /// A file that this node made.
    File(CompiledKey, EngineClass, VerifiedFile),
}

/// The classes of engine that a component with these limits may have been compiled for.
fn classes(limits: &Limits) -> &'static [EngineClass] {
    if limits.memory.0 > POOL_MEMORY_BYTES_MAX {
        &[EngineClass::Large]
    } else {
        &[EngineClass::Plain, EngineClass::Async]
    }
}

/// The class of engine for a component.
///
/// # Errors
/// When the bytes are no component that answers requests.
pub(crate) fn class_of(bytes: &[u8], limits: &Limits) -> Result<EngineClass, LoadErrorKind> {
    match inspect(bytes)?.kind {
        kind if !kind.answers() => Err(LoadErrorKind::NotAHandler),
        _ if limits.memory.0 > POOL_MEMORY_BYTES_MAX => Ok(EngineClass::Large),
        Kind::HttpP3 | Kind::CommandP3 => Ok(EngineClass::Async),
        _ => Ok(EngineClass::Plain),
    }
}

/// Finds what a component was compiled to. Blocks.
pub(crate) fn find(workshop: &Workshop, digest: Digest, limits: &Limits) -> Result<Option<Found>, LoadErrorKind> {
    for class in classes(limits) {
        let key = workshop.key(digest, *class);
        if let Some(code) = workshop.codes.get(&key) {
            return Ok(Some(Found::Mapped(code)));
        }
        if let Some(file) = workshop.store.find(&key)? {
            return Ok(Some(Found::File(key, *class, file)));
        }
    }
    Ok(None)
}

/// Maps what was found; `None` for a file that does not load although its seal is right: another build made it. Blocks.
pub(crate) fn map(workshop: &Workshop, found: Found) -> Result<Option<Arc<Code>>, LoadErrorKind> {
    match found {
        Found::Mapped(code) => Ok(Some(code)),
        Found::File(key, class, file) => {
            let compiled = map_compiled(&workshop.engines, class, &file.path_of_descriptor());
            Ok(compiled.ok().map(|compiled| workshop.codes.share(key, compiled, file.code_bytes())))
        }
    }
}

/// Initialises, composes and compiles what a recipe says, and keeps what comes of it. Waits for its turn.
pub(crate) async fn compile(
    workshop: &Arc<Workshop>,
    tenant: &TenantId,
    (recipe, bytes_of): (Recipe, impl Fn(&Ingredient) -> Result<Bytes, LoadErrorKind> + Send + 'static),
    progress: &impl Fn(LoadStep),
) -> Result<Arc<Code>, LoadErrorKind> {
    let (name, digest) = (recipe.name().clone(), recipe.digest);
    let (recipe, mut parts) = blocking(move || recipe.parts(bytes_of).map(|parts| (recipe, parts))).await?;
    for part in parts.iter_mut().filter(|part| part.is_initialised) {
        progress(LoadStep::Initialising { component: part.name.clone() });
        initialise(workshop, tenant, part).await?;
    }
    let (bytes, class) = blocking(move || recipe.compose(&parts)).await?;
    progress(LoadStep::Compiling { component: name, bytes: bytes.len() as u64 });
    let code = workshop.compiler.compile(tenant, class, bytes).await?;
    let (workshop, key) = (Arc::clone(workshop), workshop.key(digest, class));
    blocking(move || {
        let file = workshop.store.put(&key, &code)?;
        let compiled = map_compiled(&workshop.engines, class, &file.path_of_descriptor())?;
        Ok(workshop.codes.share(key, compiled, file.code_bytes()))
    })
    .await
}

/// Replaces a component by what its initialiser left behind.
async fn initialise(workshop: &Workshop, tenant: &TenantId, part: &mut Part) -> Result<(), LoadErrorKind> {
    match workshop.compiler.snapshot(tenant, part.bytes.clone()).await? {
        Snapshot::Taken(bytes) => part.bytes = bytes.into(),
        Snapshot::Unfit(reason) => {
            tracing::warn!(%tenant, component = %part.name, reason, "no snapshot is taken, and its initialiser is never called");
        }
    }
    Ok(())
}

/// Compiles what is deployed and whose compiled file is not there, gone, or not to be trusted.
pub(crate) async fn compile_again(
    workshop: &Arc<Workshop>,
    tenant: &TenantId,
    recipe: Recipe,
) -> Result<(), LoadErrorKind> {
    let store = Arc::clone(workshop);
    let bytes_of = move |one: &Ingredient| Ok(Bytes::from(store.components.get(&one.digest)?));
    drop(compile(workshop, tenant, (recipe, bytes_of), &|_step| {}).await?);
    Ok(())
}

/// Links code to what its components were granted, each to its own. Blocks for as long as reading values and opening
/// folders takes.
pub(crate) async fn furnish(
    workshop: &Workshop,
    household: &Household,
    unit: Unit<'_>,
    code: Arc<Code>,
) -> Result<Target, LoadErrorKind> {
    let (id, name) = (&household.id, unit.name);
    let place = workshop.events.place(id.clone(), name.clone(), household.revision);
    let (mut profiles, mut feeds, mut calls_inside) = (Vec::new(), Vec::new(), false);
    for (member, component) in unit.members() {
        let (profile, feed) = profile(workshop, household, (member, &component.grants), &place).await?;
        profiles.push(Arc::new(profile));
        feeds.extend(feed);
        calls_inside |= component.grants.http.iter().any(|grant| grant.origin.host.is_inside());
    }
    let own = profiles.remove(0);
    let prepared = if unit.is_composed() {
        Prepared::composed(&workshop.linkers, &code.compiled, (own, profiles))?
    } else {
        Prepared::new(&workshop.linkers, &code.compiled, own)?
    };
    let prepared = match unit.component.reuse {
        Some(reuse) => prepared.reusing(workshop.warm.of_component(reuse)),
        None => prepared.made_ahead(workshop.warm.ahead_of_component()),
    };
    let limits = unit.component.limits;
    let lane_limits = LaneLimits { concurrency: limits.concurrency, slots: prepared.slots() };
    let lane = Lane::new(lane_limits, Arc::clone(&workshop.admission), workshop.tally(id, name));
    Ok(Target::new(TargetParts {
        id: id.clone(),
        component: name.clone(),
        place,
        prepared,
        feeds,
        code,
        lane,
        turn: household.turn,
        subject: workshop.subject(household, name)?,
        quotas: household.quotas.clone(),
        refused: workshop.books.refused(id, name),
        limits,
        calls_inside,
    }))
}

/// What one component's grants come to. What it prints goes where the output of the component goes that a trigger leads
/// to, whose `place` this is.
async fn profile(
    workshop: &Workshop,
    household: &Household,
    (name, grants): (&ComponentName, &Grants),
    place: &Arc<Place>,
) -> Result<(Profile, Option<Feed>), LoadErrorKind> {
    let id = &household.id;
    let grants = with_env(grants, &workshop.env);
    if let Some(name) = grants.postgres.iter().find(|name| !workshop.stores.is_bound(Capability::Postgres, name)) {
        return Err(LoadErrorKind::Unbound(format!("{}.{name}", Capability::Postgres)));
    }
    let (values, feed) = values::resolve(workshop, id, &grants, &household.base)?;
    let around = Surroundings {
        app: id,
        base: &household.base,
        sink: Arc::new(ComponentOutput::new(Arc::clone(place), Arc::clone(&workshop.events))),
        values,
        stores: Arc::clone(&workshop.stores),
        extra_roots: household.roots.clone(),
        clock_step: workshop.clock_step,
        witness: workshop.witness(name),
    };
    Ok((Profile::new(&grants, around).await?, feed))
}

fn with_env(grants: &Grants, env: &[(String, String)]) -> Grants {
    let mut grants = grants.clone();
    grants.env.extend(env.iter().cloned());
    grants
}

/// Runs work that blocks on a thread where that is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadErrorKind> + Send + 'static,
) -> Result<T, LoadErrorKind> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(LoadErrorKind::Interrupted))
}
