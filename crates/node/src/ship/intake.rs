//! What is asked for is held against what the node knows, before anything is written down.

use super::{Asker, Ship};
use crate::deploy::{DeployError, fits, hosts};
use cumulet_artifact::signature::{SignatureError, Statement, admit};
use cumulet_control::{
    BeginDeploy, Begun, ChangeError, ChangeNumber, DeployRow, FindError, Host, IdempotencyKey, RegistryError,
};
use cumulet_spec::api::{DeployRequest, GrantLine, Plan};
use cumulet_spec::deploy::DeployId;
use cumulet_spec::grant::ConfigSource;
use cumulet_spec::id::{AppId, AppName, ComponentName, Digest};
use cumulet_spec::manifest::{Component, Manifest};
use cumulet_spec::node::Tenant;
use cumulet_spec::revision::{REVISION_FORMAT, Revision, RevisionComponent};
use cumulet_spec::traffic::{Percent, PercentError};
use std::collections::BTreeMap;
use thiserror::Error;

/// A deploy that is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) asker: Asker,
    pub(crate) request: DeployRequest,
    pub(crate) key: Option<IdempotencyKey>,
}

/// A revision that may be deployed, and what it would change.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) revision: Revision,
    pub(crate) hosts: Vec<Host>,
    pub(crate) plan: Plan,
}

/// What was asked for cannot be.
#[derive(Debug, Error)]
pub(crate) enum IntakeError {
    /// The manifest has problems: each with its place.
    #[error("the manifest is not valid: {}", .0.join("; "))]
    Manifest(Vec<String>),
    /// It is the manifest of another app.
    #[error("the manifest is that of app {found}, and {asked} was asked for")]
    App {
        /// The app of the request.
        asked: AppName,
        /// The app of the manifest.
        found: AppName,
    },
    /// Digests and components do not fit together.
    #[error("the manifest has no component `{0}`, and bytes were named for it")]
    NoSuchComponent(ComponentName),
    /// A component without bytes.
    #[error("no digest was named for component `{0}`")]
    NoDigest(ComponentName),
    /// Something that a node of tenants does not do.
    #[error("component `{component}` {what}")]
    Denied {
        /// The component.
        component: ComponentName,
        /// What it wants, and what to do instead.
        what: &'static str,
    },
    /// A configuration value that was not sent.
    #[error("the value `{key}` of component `{component}` comes from {place} of whoever deploys, and was not sent")]
    Value {
        /// The component.
        component: ComponentName,
        /// The value's key.
        key: String,
        /// Where the manifest takes it from.
        place: &'static str,
    },
    /// Roots that were not sent.
    #[error("`[app] roots` names {named} files, and {sent} texts were sent")]
    Roots {
        /// Files in the manifest.
        named: usize,
        /// Texts of the request.
        sent: usize,
    },
    /// Bytes that were not sent.
    #[error("the bytes of {} components were not sent, the first being {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Missing(Vec<Digest>),
    /// It would gain grants.
    #[error("it would gain {} grants that the app does not have", .0.len())]
    Grants(Vec<GrantLine>),
    /// Nobody whom the tenant trusts meant this.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Another share than there is.
    #[error(transparent)]
    Percent(#[from] PercentError),
    /// A host, a quota.
    #[error(transparent)]
    Fit(#[from] DeployError),
    /// It was written down, and is not there any more.
    #[error("the deploy was begun, and is not kept any more")]
    Lost,
    /// What runs cannot be read.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The registry refused.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Ship {
    /// What a request comes to, without changing anything. Blocks.
    pub(crate) fn intake(&self, asked: &Asked) -> Result<Intake, IntakeError> {
        let Asked { asker, request, .. } = asked;
        let manifest = Manifest::parse(&request.manifest).map_err(|error| {
            let text = |problem: &cumulet_spec::manifest::Problem| {
                let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
                format!("{}: {}{help}", problem.position(&request.manifest), problem.message)
            };
            IntakeError::Manifest(error.problems.iter().map(text).collect())
        })?;
        if manifest.app.name != asker.id.app {
            return Err(IntakeError::App { asked: asker.id.app.clone(), found: manifest.app.name });
        }
        let revision = revision(&manifest, request)?;
        self.check_signature(&asker.id, request)?;
        let hosts = hosts(&self.apps, &asker.id, &manifest)?;
        fits(&self.apps.workshop, &asker.id, &manifest)?;
        let found = self.apps.registry.find(&asker.id.tenant, &asker.id.app)?;
        let before = found.as_ref().map(|app| &app.leading().revision);
        let digests = revision.components.values().chain(before.iter().flat_map(|before| before.components.values()));
        let digests: Vec<Digest> = digests.map(|component| component.digest).collect();
        let mut bytes = BTreeMap::new();
        for digest in digests {
            // Only of bytes that this tenant has sent: sizes of others' are nobody's business.
            if let Some(length) = self.apps.blob_bytes(&asker.id.tenant, &digest)? {
                bytes.insert(digest, length);
            }
        }
        let missing = revision.components.values().map(|component| component.digest);
        let missing = missing.filter(|digest| !bytes.contains_key(digest)).collect();
        let generation = found.as_ref().map(|app| app.generation.0);
        let plan = Plan { generation, missing, ..Plan::between(before, &revision, &bytes) };
        Ok(Intake { revision, hosts, plan })
    }

    /// Writes a deploy down, and sees to it from then on. Blocks.
    pub(crate) fn begin(self: &std::sync::Arc<Self>, asked: Asked) -> Result<DeployRow, IntakeError> {
        // What is there now is there still when the revision is written down.
        let _arriving = self.apps.workshop.arrivals.blocking_read();
        let Intake { revision, hosts, plan } = self.intake(&asked)?;
        let Asked { asker, request, key } = asked;
        if !plan.missing.is_empty() {
            return Err(IntakeError::Missing(plan.missing));
        }
        if !plan.gained.is_empty() && plan.generation.is_some() && !request.accept_grants {
            return Err(IntakeError::Grants(plan.gained));
        }
        let begun = self.apps.registry.begin_deploy(&BeginDeploy {
            id: DeployId::from_bits(rand::random()),
            tenant: asker.id.tenant,
            revision,
            hosts,
            share: request
                .percent
                .filter(|percent| *percent != 100)
                .map(|percent| Percent::new(percent.into()))
                .transpose()?,
            note: request.note,
            by: asker.by,
            at_us: self.now_us(),
            idempotency_key: key,
            expected_generation: request.expected_generation.map(ChangeNumber),
        })?;
        let Begun { id, is_new, .. } = begun;
        let row = self.apps.tell(|registry| registry.find_deploy(&id))?;
        let row = row.ok_or(IntakeError::Lost)?;
        if is_new {
            self.work_on(row.clone());
        }
        Ok(row)
    }

    /// Whether somebody whom the tenant trusts meant this, where the tenant wants to know.
    fn check_signature(&self, id: &AppId, request: &DeployRequest) -> Result<(), IntakeError> {
        let statement = Statement::new(id.app.clone(), request.manifest.as_bytes(), request.components.clone());
        let nobody = Tenant::default();
        let tenant = self.apps.workshop.accounts.config().tenants.get(&id.tenant).unwrap_or(&nobody);
        admit(tenant, &statement, request.signature.as_deref().map(str::as_bytes))?;
        Ok(())
    }
}

/// The revision that a request describes. Nothing in it leads to this machine's files or variables.
fn revision(manifest: &Manifest, request: &DeployRequest) -> Result<Revision, IntakeError> {
    if let Some(name) = request.components.keys().find(|name| !manifest.components.contains_key(*name)) {
        return Err(IntakeError::NoSuchComponent(name.clone()));
    }
    if manifest.app.roots.len() != request.roots.len() {
        return Err(IntakeError::Roots { named: manifest.app.roots.len(), sent: request.roots.len() });
    }
    let mut components = BTreeMap::new();
    for (name, component) in &manifest.components {
        let digest = request.components.get(name).ok_or_else(|| IntakeError::NoDigest(name.clone()))?;
        deny(name, component)?;
        let mut grants = component.grants.clone();
        let sent = request.config.get(name);
        for (key, source) in &mut grants.config {
            let place = match source {
                ConfigSource::Text(_) => continue,
                ConfigSource::File(_) => "a file",
                ConfigSource::Env(_) => "a variable",
            };
            let value = sent.and_then(|sent| sent.get(key));
            let missing = || IntakeError::Value { component: name.clone(), key: key.clone(), place };
            *source = ConfigSource::Text(value.ok_or_else(missing)?.clone());
        }
        let parts = RevisionComponent {
            digest: *digest,
            limits: component.limits,
            grants,
            link: component.link.clone(),
            reuse: component.reuse,
            snapshot: component.snapshot,
        };
        components.insert(name.clone(), parts);
    }
    Ok(Revision {
        format: REVISION_FORMAT,
        app: manifest.app.name.clone(),
        version: manifest.app.version.clone(),
        components,
        routes: manifest.http.clone(),
        probe: manifest.app.probe.clone(),
        rollout: manifest.app.rollout.clone(),
        roots: request.roots.clone(),
    })
}

/// What a node of tenants does not do.
fn deny(name: &ComponentName, component: &Component) -> Result<(), IntakeError> {
    let what = if !component.grants.file.is_empty() {
        "asks for folders, and those of the node are not its app's; put the files into the component or a blob store"
    } else {
        return Ok(());
    };
    Err(IntakeError::Denied { component: name.clone(), what })
}
