//! Apps, their revisions, and where their traffic goes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{AppName, Digest, TenantId};
use crate::rollout::Trial;

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppView {
    /// Whose it is.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// Its name.
    #[schema(value_type = String)]
    pub app: AppName,
    /// Changes with everything that is done to it; send it as `expected_generation` to be told of what came between.
    pub generation: u64,
    /// The revisions that answer, and how much each of them.
    pub traffic: Vec<ArmView>,
    /// Requests with a header that says so go to a revision of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderView>,
    /// The cookie by which clients stay with a revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<String>,
    /// Where it answers.
    pub urls: Vec<String>,
}

/// A revision's share of the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArmView {
    /// The revision: `r7`.
    pub revision: String,
    /// Its share, in percent.
    #[serde(deserialize_with = "super::whole::one")]
    #[schema(minimum = 1, maximum = 100)]
    pub percent: u8,
}

/// Requests with this header value go to a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderView {
    /// The header's name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The revision: `r7`.
    pub revision: String,
}

/// A revision: an app as it was deployed. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionView {
    /// Its name: `r7` for the seventh of its app.
    pub revision: String,
    /// Its identity.
    #[schema(value_type = String, example = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")]
    pub digest: Digest,
    /// The version in its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What whoever deployed it said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who deployed it.
    pub by: String,
    /// When.
    pub at_us: u64,
    /// Its share of the traffic, in percent.
    pub percent: u8,
    /// How its trial stands, if its manifest has bounds and it was live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub trial: Option<Trial>,
}

/// Where traffic is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrafficRequest {
    /// Shares that add up to 100.
    pub traffic: Vec<ArmView>,
    /// Requests that go to a revision because of a header.
    #[serde(default)]
    pub headers: Vec<HeaderView>,
    /// The cookie by which clients stay with a revision; they do not if it is absent.
    #[serde(default)]
    pub sticky: Option<String>,
    /// The generation that the client saw last, if it minds what came between.
    #[serde(default, deserialize_with = "super::whole::maybe")]
    pub expected_generation: Option<u64>,
}

/// Back to what was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The revision that gets everything: `r7`, or a digest; if absent, traffic goes where it went before.
    #[serde(default)]
    pub revision: Option<String>,
    /// The generation that the client saw last, if it minds what came between.
    #[serde(default, deserialize_with = "super::whole::maybe")]
    pub expected_generation: Option<u64>,
}
