//! An app is deployed: its components are kept, compiled and linked once, and only then is it what answers.

use crate::apps::Apps;
use crate::furnish::{self, blocking};
use crate::load::{LoadError, LoadErrorKind, LoadStep, Resolved, obtain, of_any, resolve};
use crate::recipe::Recipe;
use crate::workshop::{Household, Workshop};
use cumulet_control::{ChangeError, ChangeNumber, Deploy, Host, IdempotencyKey, RegistryError};
use cumulet_spec::grant::ConfigSource;
use cumulet_spec::id::{AppId, Digest, TenantId};
use cumulet_spec::manifest::Manifest;
use cumulet_spec::quantity::Bytes;
use cumulet_spec::quota::Quota;
use cumulet_spec::token::Actor;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

/// What is to be deployed.
#[derive(Debug)]
pub struct DeployRequest<'a> {
    /// Whose app it becomes.
    pub tenant: TenantId,
    /// The app.
    pub manifest: &'a Manifest,
    /// What relative paths in the manifest are taken from.
    pub base_dir: &'a Path,
    /// What the client calls this request, if it may send it again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The generation that the client saw last, if it minds what came between.
    pub expected_generation: Option<ChangeNumber>,
}

/// What a deploy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedRevision {
    /// The app.
    pub id: AppId,
    /// Its generation from now on.
    pub generation: ChangeNumber,
    /// Its revision.
    pub revision: Digest,
    /// Where it answers.
    pub hosts: Vec<String>,
}

/// An app was not deployed. What ran before runs on.
#[derive(Debug, Error)]
pub enum DeployError {
    /// The node serves one app, which its manifest says.
    #[error("this node serves one app; deploy to one that was started with `cumulet node`")]
    NoRegistry,
    /// A component could not be made ready.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A route names a host that the tenant was not granted.
    #[error(
        "the host `{host}` is not granted to tenant {tenant}; name it in the node's configuration, or run `cumulet tenant put`"
    )]
    Host {
        /// The host.
        host: String,
        /// The tenant.
        tenant: TenantId,
    },
    /// The memory limit of a component is above what the tenant or the app may use at once.
    #[error("component `{0}` has a memory limit above the quota of its tenant or app, so that it could never run")]
    Memory(cumulet_spec::id::ComponentName),
    /// Its code is larger than what the tenant or the app may have loaded.
    #[error(
        "its compiled code takes {bytes}, and {max} may be loaded of its tenant or app, so that it could never run"
    )]
    Loaded {
        /// What it takes.
        bytes: Bytes,
        /// The smaller of the quotas.
        max: Bytes,
    },
    /// The registry cannot be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The registry refused, or could not keep it.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// Deploys. When this returns, the next request to the app is answered by the new revision, also after the power failed.
pub(crate) async fn deploy(
    apps: &Arc<Apps>,
    request: DeployRequest<'_>,
    progress: impl Fn(LoadStep),
) -> Result<DeployedRevision, DeployError> {
    let DeployRequest { tenant, manifest, base_dir, idempotency_key, expected_generation } = request;
    let workshop = &apps.workshop;
    let _arriving = workshop.arrivals.read().await;
    let id = AppId { tenant, app: manifest.app.name.clone() };
    let hosts = hosts(apps, &id, manifest)?;
    fits(workshop, &id, manifest)?;
    let Resolved { sources, mut revision } = resolve(manifest, base_dir).await?;
    for component in revision.components.values_mut() {
        let files = component.grants.config.values_mut().filter_map(|source| match source {
            ConfigSource::File(path) => Some(path),
            ConfigSource::Text(_) | ConfigSource::Env(_) => None,
        });
        for path in component.grants.file.iter_mut().map(|folder| &mut folder.from).chain(files) {
            *path = base_dir.join(&*path);
        }
    }
    let household = workshop.household(&id, revision.id()).map_err(of_any(manifest))?;
    let household = Household { base: base_dir.to_owned(), ..household };
    let mut bytes = 0;
    for (name, source) in sources.iter() {
        let kept = keep(workshop, source.bytes.clone()).await;
        kept.map_err(|kind| LoadError { component: name.clone(), kind })?;
    }
    for unit in revision.units() {
        let fail = |kind| LoadError { component: unit.name.clone(), kind };
        let work = (Recipe::of(unit), &sources);
        let code = obtain(workshop, &id.tenant, work, &progress).await.map_err(fail)?;
        bytes += code.bytes;
        // Linked once, so that what cannot be is known now; its usage can be recorded from here on.
        drop(furnish::furnish(workshop, &household, unit, code).await.map_err(fail)?);
    }
    fits_loaded(workshop, &id, bytes)?;
    let mut answers: Vec<String> = vec![apps.host_of(&id)];
    answers.extend(hosts.iter().map(ToString::to_string));
    let change = Deploy {
        tenant: id.tenant.clone(),
        revision,
        hosts,
        by: Actor::Node,
        at_us: workshop.books.now_us(),
        idempotency_key,
        expected_generation,
    };
    let deployed = {
        let apps = Arc::clone(apps);
        let id = id.clone();
        tokio::task::spawn_blocking(move || apps.change(&id, |registry| registry.deploy(&change))).await
    };
    let deployed = deployed.map_err(|_lost| of_any(manifest)(LoadErrorKind::Interrupted))??;
    Ok(DeployedRevision { id, generation: deployed.number, revision: deployed.revision, hosts: answers })
}

/// Keeps a component's bytes: what was compiled from them may have to be made again.
async fn keep(workshop: &Arc<Workshop>, bytes: bytes::Bytes) -> Result<(), LoadErrorKind> {
    let workshop = Arc::clone(workshop);
    blocking(move || {
        workshop.components.put(&bytes)?;
        Ok(())
    })
    .await
}

/// The hosts that the routes name, each of which the tenant was granted, by the configuration or by an admin. Blocks for
/// microseconds.
pub(crate) fn hosts(apps: &Apps, id: &AppId, manifest: &Manifest) -> Result<Vec<Host>, DeployError> {
    let config = apps.workshop.accounts.config();
    let mut hosts: Vec<Host> = Vec::new();
    for text in manifest.http.iter().filter_map(|route| route.host.as_deref()) {
        let host = text.to_ascii_lowercase();
        // Its own default host is nothing to be granted.
        if apps.domain().app_of(&host).as_ref() == Some(id) {
            continue;
        }
        let refused = || DeployError::Host { host: host.clone(), tenant: id.tenant.clone() };
        let is_granted =
            config.grants_host(&id.tenant, &host) || apps.registry.granted(&host)?.as_ref() == Some(&id.tenant);
        if !is_granted {
            return Err(refused());
        }
        let host = Host::parse(&host).map_err(|_invalid| refused())?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}

/// The quotas of the tenant and of the app.
fn quotas(workshop: &Workshop, id: &AppId) -> [Quota; 2] {
    let config = workshop.accounts.config();
    [config.share(&id.tenant).quota, config.app_quota(&id.tenant, &id.app)]
}

/// A component that a quota could never let in is refused now.
pub(crate) fn fits(workshop: &Workshop, id: &AppId, manifest: &Manifest) -> Result<(), DeployError> {
    let most = quotas(workshop, id)
        .into_iter()
        .filter_map(|quota| quota.memory)
        .map(|memory| memory.0)
        .min()
        .unwrap_or(u64::MAX);
    let over = manifest.components.iter().find(|(_, component)| component.limits.memory.0 > most);
    over.map_or(Ok(()), |(name, _)| Err(DeployError::Memory(name.clone())))
}

/// Whether the code of all its components fits into what the tenant, and the app, may have loaded.
pub(crate) fn fits_loaded(workshop: &Workshop, id: &AppId, bytes: u64) -> Result<(), DeployError> {
    match quotas(workshop, id).into_iter().filter_map(|quota| quota.loaded).min_by_key(|most| most.0) {
        Some(max) if bytes > max.0 => Err(DeployError::Loaded { bytes: Bytes(bytes), max }),
        Some(_) | None => Ok(()),
    }
}
