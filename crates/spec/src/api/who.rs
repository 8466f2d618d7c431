//! Tenants, tokens, and who did what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::TenantId;
use crate::token::Scope;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    /// Its name.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// Hosts that its routes may name, besides those below the node's domain.
    pub hosts: Vec<String>,
}

/// What a tenant is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantRequest {
    /// Hosts that its routes may name; one that it had and that is not here is free again.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Who a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    /// The token's id.
    pub id: String,
    /// What it was called when it was made.
    pub name: String,
    /// The tenant whose things it reaches; absent for a token of the whole node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// What it may do there.
    #[schema(value_type = String, example = "deploy")]
    pub scope: Scope,
}

/// A token, without its secret, which only its owner has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Who it is.
    #[serde(flatten)]
    pub who: WhoAmI,
    /// When it was made.
    pub made_us: u64,
    /// By whom.
    pub by: String,
    /// When it ends; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_us: Option<u64>,
}

/// What a token is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What people call it: 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64, pattern = r"^[!-~]([ -~]*[!-~])?$")]
    pub name: String,
    /// The tenant whose things it reaches; the whole node if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// What it may do there.
    #[schema(value_type = String, example = "deploy")]
    pub scope: Scope,
    /// How long it is valid, in seconds; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::whole::maybe")]
    #[schema(minimum = 1, maximum = 316_224_000)]
    pub expires_in_s: Option<u64>,
}

/// A token that was made: the one time that its secret is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenMade {
    /// What it is.
    #[serde(flatten)]
    pub token: TokenView,
    /// The secret: what goes into the header `authorization: Bearer …`.
    pub secret: String,
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// Its number.
    pub number: u64,
    /// When.
    pub at_us: u64,
    /// Who: a token's id, `anonymous`, or `node`.
    pub who: String,
    /// Whose things were concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// What was tried.
    pub action: String,
    /// On what.
    pub target: String,
    /// What came of it: `done`, `denied` or `failed`.
    pub outcome: String,
    /// Why it was denied or failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
