//! A revision becomes something that runs: its compiled files verified and mapped, its components linked.

use crate::apps::WakeError;
use crate::clock::now;
use crate::furnish;
use crate::load::LoadErrorKind;
use crate::recipe::Recipe;
use crate::target::{Crew, Routed, Target};
use crate::workshop::{Household, Workshop};
use cumulet_capability::{Root, parse_roots};
use cumulet_spec::id::{AppId, ComponentName, Digest};
use cumulet_spec::revision::Revision;
use cumulet_spec::route::RouteTable;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// What making a revision came to.
pub(crate) enum Made {
    Ready(ReadyRevision),
    /// What is to be compiled first.
    Uncompiled(Vec<Recipe>),
}

/// A revision that is ready to run.
#[derive(Debug)]
pub(crate) struct ReadyRevision {
    pub(crate) id: Digest,
    pub(crate) routes: RouteTable<Routed>,
    pub(crate) components: u64,
    pub(crate) code_bytes: u64,
}

/// Where the time went.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    pub(crate) verify: Duration,
    pub(crate) map: Duration,
}

/// Makes a revision. All of it on the calling thread, which may block: handing over costs more than any of the steps.
pub(crate) fn make(
    workshop: &Workshop,
    id: &AppId,
    (digest, revision): (Digest, &Revision),
    (runtime, spent): (&Handle, &mut Spent),
) -> Result<Made, WakeError> {
    let fail = failing(id);
    let household = household(workshop, id, (digest, revision))?;
    let (mut targets, mut missing, mut code_bytes) = (BTreeMap::new(), Vec::new(), 0);
    for unit in revision.units() {
        let (name, digest) = (unit.name, unit.digest());
        let began = now();
        let found = furnish::find(workshop, digest, &unit.component.limits).map_err(|kind| fail(name, kind))?;
        spent.verify += began.elapsed();
        let began = now();
        let code = found.map(|found| furnish::map(workshop, found)).transpose().map_err(|kind| fail(name, kind))?;
        spent.map += began.elapsed();
        let Some(code) = code.flatten() else {
            missing.push(Recipe::of(unit));
            continue;
        };
        code_bytes += code.bytes;
        let target = runtime.block_on(furnish::furnish(workshop, &household, unit, code));
        targets.insert(name.clone(), Arc::new(target.map_err(|kind| fail(name, kind))?));
    }
    if !missing.is_empty() {
        return Ok(Made::Uncompiled(missing));
    }
    let components = targets.len() as u64;
    let routes = routes(revision, targets).map_err(|kind| fail(&ComponentName::nearest("app"), kind))?;
    Ok(Made::Ready(ReadyRevision { id: digest, routes, components, code_bytes }))
}

fn household(workshop: &Workshop, id: &AppId, (digest, revision): (Digest, &Revision)) -> Result<Household, WakeError> {
    let any = |kind| failing(id)(&ComponentName::nearest("app"), kind);
    let household = workshop.household(id, digest).map_err(any)?;
    let roots = revision.roots.iter().map(|text| parse_roots(text)).collect::<Result<Vec<Vec<Root>>, _>>();
    Ok(Household { roots: roots.map_err(|error| any(error.into()))?.concat(), ..household })
}

fn failing(id: &AppId) -> impl Fn(&ComponentName, LoadErrorKind) -> WakeError {
    move |component, kind| WakeError::Component { app: id.clone(), component: component.clone(), kind }
}

fn routes(
    revision: &Revision,
    targets: BTreeMap<ComponentName, Arc<Target>>,
) -> Result<RouteTable<Routed>, LoadErrorKind> {
    let crew = Crew::new(targets);
    let routes = revision.routes.iter();
    let routes = routes.filter_map(|route| Some((route.clone(), Crew::routed(&crew, &route.component)?)));
    Ok(RouteTable::new(routes.collect())?)
}
