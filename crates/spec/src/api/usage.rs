//! What apps used: what `cumulet usage --json` prints.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use crate::id::{AppName, ComponentName, Digest, TenantId};
use crate::outcome::Outcome;

/// What was used in a time. Times are in RFC 3339, and null where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    /// When records were last moved into the sums: what ended before is in them. Null when none ever were.
    pub as_of: Option<String>,
    /// From when on; null from the beginning.
    pub since: Option<String>,
    /// Up to when; null until now.
    pub until: Option<String>,
    /// One for each combination that used something.
    pub rows: Vec<UsageRow>,
    /// All of them together.
    pub total: UsageAmount,
    /// What the same work would cost elsewhere, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<UsageComparison>,
}

/// What one combination used. What was not asked to tell rows apart is absent; what is told apart and has no name is null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageRow {
    /// The tenant.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    pub tenant: Option<Option<TenantId>>,
    /// The app.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    pub app: Option<Option<AppName>>,
    /// The component.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    pub component: Option<Option<ComponentName>>,
    /// The revision; null for rejections.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    pub revision: Option<Option<Digest>>,
    /// The outcome.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    pub outcome: Option<Option<Outcome>>,
    /// How much.
    #[serde(flatten)]
    pub amount: UsageAmount,
}

/// An amount of use, by whether it is paid for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageAmount {
    /// What is paid for.
    pub billed: UsageSums,
    /// What ran and is not paid for, because the fault was the node's.
    pub unbilled: UsageSums,
    /// Requests that were turned away, and used nothing.
    pub rejections: u64,
}

/// Sums over invocations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageSums {
    /// How many.
    pub requests: u64,
    /// Executed time, in microseconds.
    pub executed_us: u64,
    /// Time on the clock, in microseconds.
    pub wall_us: u64,
    /// Peak memory times wall time, in byte-microseconds. It is text: it does not fit into the numbers that all programs
    /// can read.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    #[schema(value_type = String)]
    pub memory_time_byte_us: u128,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of response bodies.
    pub bytes_out: u64,
}

/// What the same work would cost elsewhere, at list prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageComparison {
    /// The day on which the prices were read.
    pub read: String,
    /// Each provider.
    pub costs: Vec<UsageCost>,
    /// What is left out.
    pub note: String,
}

/// What it would cost at one provider, in US dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageCost {
    /// The provider, the product and the region.
    pub provider: String,
    /// Where it publishes its prices.
    pub source: String,
    /// In what form, and of what date, that was read.
    pub seen: String,
    /// For requests.
    pub requests_usd: String,
    /// For processor and memory.
    pub compute_usd: String,
    /// For both.
    pub total_usd: String,
}

/// A name that is there, and may be null.
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

fn as_text<S: Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| de::Error::custom(format_args!("{text:?} is no whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_form_comes_back() {
        let sums = UsageSums { requests: 3, memory_time_byte_us: u128::MAX, ..UsageSums::default() };
        let amount = UsageAmount { billed: sums, rejections: 7, ..UsageAmount::default() };
        let row = UsageRow {
            app: Some(AppName::parse("shop").ok()),
            revision: Some(None),
            amount: amount.clone(),
            ..UsageRow::default()
        };
        let view = UsageView {
            as_of: None,
            since: Some("2026-11-21T00:00:00Z".to_owned()),
            until: None,
            rows: vec![row],
            total: amount,
            compare: None,
        };
        let json = serde_json::to_string_pretty(&view).unwrap();
        insta::assert_snapshot!(json);
        assert_eq!(serde_json::from_str::<UsageView>(&json).unwrap(), view);
    }
}
