//! A deploy: what is asked for, how far it has come, and what it would change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deploy::{DeployFailure, DeployPhase};
use crate::grant::Capability;
use crate::id::{AppName, ComponentName, Digest, TenantId};

/// What is to be deployed. The components' bytes were sent before, as blobs of the same tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployRequest {
    /// The manifest, as it was written. Its sources are not looked at.
    pub manifest: String,
    /// The bytes of each component.
    #[schema(value_type = BTreeMap<String, String>)]
    pub components: BTreeMap<ComponentName, Digest>,
    /// What the configuration values of each component are that the manifest takes from files or variables: those of
    /// whoever deploys, not the node's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, BTreeMap<String, String>>)]
    pub config: BTreeMap<ComponentName, BTreeMap<String, String>>,
    /// The certificates that `[app] roots` names, in PEM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
    /// The text of `cumulet.sig`, if the app was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The share of the traffic that it gets, in percent; all of it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::whole::maybe")]
    #[schema(minimum = 1, maximum = 100)]
    pub percent: Option<u8>,
    /// Whether it may have grants that the app did not have.
    #[serde(default)]
    pub accept_grants: bool,
    /// What is to be said of it: at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub note: Option<String>,
    /// The generation that the client saw last, if it minds what came between.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::whole::maybe")]
    pub expected_generation: Option<u64>,
}

/// A deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeployView {
    /// Its name.
    pub id: String,
    /// Whose app.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// The app.
    #[schema(value_type = String)]
    pub app: AppName,
    /// The revision that it makes: `r7`.
    pub revision: String,
    /// How far it is.
    #[schema(value_type = String, example = "live")]
    pub phase: DeployPhase,
    /// The steps that are behind it.
    pub phases: Vec<PhaseView>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub failure: Option<DeployFailure>,
    /// Where it answers.
    pub urls: Vec<String>,
    /// Who asked for it.
    pub by: String,
}

/// A step that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhaseView {
    /// The step.
    #[schema(value_type = String, example = "compiled")]
    pub phase: DeployPhase,
    /// When it was reached.
    pub at_us: u64,
}

/// How far the bytes of a component have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlobView {
    /// The digest of the whole.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// How many bytes have arrived.
    pub offset: u64,
    /// Whether all of them have.
    pub complete: bool,
}

/// What a deploy would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Whether there is anything that it would change.
    pub changes: bool,
    /// The generation that it was made for; none where the app is not deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The components whose bytes are missing: to be sent first.
    #[schema(value_type = Vec<String>)]
    pub missing: Vec<Digest>,
    /// The components that would be new, changed or gone.
    pub components: Vec<ComponentPlan>,
    /// Grants that would be gained.
    pub gained: Vec<GrantLine>,
    /// Grants that would be lost.
    pub lost: Vec<GrantLine>,
    /// Limits that would change.
    pub limits: Vec<LimitPlan>,
    /// Routes that would be new or gone.
    pub routes: Vec<RoutePlan>,
}

/// What becomes of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlanKind {
    /// It is new.
    New,
    /// It is another.
    Changed,
    /// It goes.
    Gone,
}

/// A component that would be new, changed or gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComponentPlan {
    /// The component.
    #[schema(value_type = String)]
    pub component: ComponentName,
    /// What becomes of it.
    pub kind: PlanKind,
    /// Its size as it runs, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_before: Option<u64>,
    /// Its size as it would run, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_after: Option<u64>,
}

/// One thing that one component is granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct GrantLine {
    /// The component.
    #[schema(value_type = String)]
    pub component: ComponentName,
    /// The kind of thing.
    #[schema(value_type = String, example = "http")]
    pub capability: Capability,
    /// Which, as the manifest writes it.
    pub entry: String,
}

/// A limit that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitPlan {
    /// The component.
    #[schema(value_type = String)]
    pub component: ComponentName,
    /// The limit: `memory`, `cpu`, `time` or `concurrency`.
    pub limit: String,
    /// As it is.
    pub before: String,
    /// As it would be.
    pub after: String,
}

/// A route that would be new or gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoutePlan {
    /// The route, with its host and methods where it has any, and its component.
    pub route: String,
    /// What becomes of it.
    pub kind: PlanKind,
}
