//! What the admin API of a node says and hears, version 1.
//!
//! The command line and the web page have no other way in. Names are as in the manifest; times are microseconds since
//! 1970; what is optional and absent is left out. A reader ignores keys that it does not know.

mod app;
mod deploy;
mod detail;
mod live;
mod log;
mod plan;
mod problem;
mod usage;
mod who;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::NodeName;

pub use app::{AppView, ArmView, HeaderView, RevisionView, RollbackRequest, TrafficRequest};
pub use deploy::{
    BlobView, ComponentPlan, DeployRequest, DeployView, GrantLine, LimitPlan, PhaseView, Plan, PlanKind, RoutePlan,
};
pub use detail::{ComponentView, GrantView, LimitsView, RevisionDetail};
pub use live::{LATENCY_BOUNDS_US, LIVE_APPS, LIVE_APPS_MAX, LiveApp, LiveNode, LiveRevision, LiveView, quantile};
pub use log::{LOG_WAIT_S_MAX, LogEntry, LogEvent, LogInvocation, LogPage, LogStream};
pub use problem::{Problem, ProblemKind};
pub use usage::{UsageAmount, UsageComparison, UsageCost, UsageRow, UsageSums, UsageView};
pub use who::{AuditView, NewToken, TenantRequest, TenantView, TokenMade, TokenView, WhoAmI};

/// The header by which a client names a request, so that it can send it again.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that says how far an upload has come, in bytes.
pub const UPLOAD_OFFSET: &str = "upload-offset";
/// The header that says how long an upload will be, in bytes.
pub const UPLOAD_LENGTH: &str = "upload-length";
/// The largest piece of an upload, in bytes.
pub const UPLOAD_PIECE_BYTES_MAX: usize = 8 << 20;
/// The most entries of one page.
pub const PAGE_MAX: usize = 1_000;

/// Reads whole numbers, also those that are written with a fraction of zero, which JSON does not tell from others.
mod whole {
    use serde::{Deserialize as _, Deserializer, de};
    use serde_json::Number;

    pub(super) fn one<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
        of(&Number::deserialize(deserializer)?)
    }

    pub(super) fn maybe<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<Option<T>, D::Error> {
        Option::<Number>::deserialize(deserializer)?.map(|number| of(&number)).transpose()
    }

    fn of<T: TryFrom<u64>, E: de::Error>(number: &Number) -> Result<T, E> {
        let text = number.to_string();
        let whole = text.strip_suffix(".0").unwrap_or(&text).parse::<u64>().ok();
        let fitting = whole.and_then(|whole| T::try_from(whole).ok());
        fitting.ok_or_else(|| E::custom(format_args!("{number} is no whole number of the size that is expected here")))
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeView {
    /// Its name.
    #[schema(value_type = String)]
    pub name: NodeName,
    /// The release that it runs.
    pub version: String,
    /// Below which apps answer, as `APP.TENANT.DOMAIN`.
    pub domain: String,
    /// Where it serves.
    pub url: String,
}

/// A part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to send as `after` for the next part; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
