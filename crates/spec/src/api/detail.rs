//! A revision in full: what its components are, what they may use and reach, and where they answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RevisionView, plan};
use crate::grant::Capability;
use crate::id::{ComponentName, Digest};
use crate::quantity::format_duration;
use crate::revision::{Revision, RevisionComponent};

/// A revision with everything that is in it, but for the values of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionDetail {
    /// What lists say of it.
    #[serde(flatten)]
    pub revision: RevisionView,
    /// Its components, in the order of their names.
    pub components: Vec<ComponentView>,
    /// Its routes, in the order of the manifest: `GET,HEAD shop.example.com/api/* -> front`.
    pub routes: Vec<String>,
}

/// A component of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComponentView {
    /// The component.
    #[schema(value_type = String)]
    pub component: ComponentName,
    /// The digest of its bytes.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// How many bytes it has; absent where they are no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What it may use.
    pub limits: LimitsView,
    /// What it may reach.
    pub grants: Vec<GrantView>,
}

/// The limits of a component, as the manifest writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitsView {
    /// Memory of an instance.
    pub memory: String,
    /// Executed time of an invocation.
    pub cpu: String,
    /// Time on the clock of an invocation.
    pub time: String,
    /// Invocations at once.
    pub concurrency: String,
}

/// One thing that a component is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantView {
    /// The kind of thing.
    #[schema(value_type = String, example = "http")]
    pub capability: Capability,
    /// Which, as the manifest writes it; of configuration and secrets the names alone.
    pub entry: String,
}

impl RevisionDetail {
    /// A revision, of which lists say `view`. `bytes` knows the sizes of components.
    #[must_use]
    pub fn of(view: RevisionView, revision: &Revision, bytes: &BTreeMap<Digest, u64>) -> Self {
        let mut grants: BTreeMap<ComponentName, Vec<GrantView>> = BTreeMap::new();
        for line in plan::grants(revision) {
            let granted = GrantView { capability: line.capability, entry: line.entry };
            grants.entry(line.component).or_default().push(granted);
        }
        let component = |(name, parts): (&ComponentName, &RevisionComponent)| ComponentView {
            component: name.clone(),
            digest: parts.digest,
            bytes: bytes.get(&parts.digest).copied(),
            limits: LimitsView {
                memory: parts.limits.memory.to_string(),
                cpu: format_duration(parts.limits.cpu),
                time: format_duration(parts.limits.time),
                concurrency: parts.limits.concurrency.to_string(),
            },
            grants: grants.remove(name).unwrap_or_default(),
        };
        let components = revision.components.iter().map(component).collect();
        Self { revision: view, components, routes: revision.routes.iter().map(plan::text).collect() }
    }
}
