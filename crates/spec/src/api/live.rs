//! What runs on a node right now, as counters. Clients take differences of what they hear twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{AppName, TenantId};

/// The upper bounds of the buckets in which latency is counted, in microseconds. One more bucket holds what was slower.
pub const LATENCY_BOUNDS_US: [u64; 15] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 30_000_000,
];
/// How many apps are told of if a client does not say.
pub const LIVE_APPS: usize = 200;
/// The most apps that are told of.
pub const LIVE_APPS_MAX: usize = 1_000;

/// What ran since the node started, of the apps that were used last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveView {
    /// When it was counted.
    pub at_us: u64,
    /// When the node started, and every counter with it.
    pub started_us: u64,
    /// The node itself; absent for a token that reaches one tenant only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<LiveNode>,
    /// The upper bounds of the buckets of latency, in microseconds, ascending.
    pub latency_bounds_us: Vec<u64>,
    /// The apps, the one with the most executed time first.
    pub apps: Vec<LiveApp>,
}

/// What a node holds and has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LiveNode {
    /// How many invocations can run at once.
    pub slots: u64,
    /// How many do.
    pub slots_in_use: u64,
    /// How many wait for a slot.
    pub slots_waiting: u64,
    /// How many apps are loaded.
    pub loaded_apps: u64,
    /// What their compiled code takes.
    pub loaded_bytes: u64,
    /// How often an app was put to sleep for another.
    pub evictions: u64,
    /// How often an app was woken.
    pub cold_starts: u64,
    /// How often that failed.
    pub cold_start_failures: u64,
    /// Pieces of output and events that could not be written.
    pub events_dropped: u64,
    /// The memory of the process that is resident.
    pub memory_bytes: u64,
}

/// What an app used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveApp {
    /// Whose it is.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// Its name.
    #[schema(value_type = String)]
    pub app: AppName,
    /// Its revisions that ran.
    #[serde(default)]
    pub revisions: Vec<LiveRevision>,
    /// Its invocations.
    pub requests: u64,
    /// Those that failed: by the guest's fault, or with a status of 500 or above.
    pub errors: u64,
    /// Invocations by how they ended, those that happened only.
    #[serde(default)]
    pub outcomes: BTreeMap<String, u64>,
    /// Invocations by how long they took: one number for each bound, and one for what was slower.
    pub latency: Vec<u64>,
    /// Executed time.
    pub executed_us: u64,
    /// Time from admission to the end, added up.
    pub wall_us: u64,
    /// The most memory that one invocation had.
    pub memory_peak_bytes: u64,
    /// What clients sent.
    pub bytes_in: u64,
    /// What clients got.
    pub bytes_out: u64,
    /// How often it was woken.
    pub cold_starts: u64,
    /// When its last invocation ended.
    pub last_us: u64,
}

/// What a revision used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveRevision {
    /// Its name: `r7` for the seventh of its app.
    pub revision: String,
    /// Its invocations.
    pub requests: u64,
    /// Those that failed.
    pub errors: u64,
    /// Invocations by how long they took.
    pub latency: Vec<u64>,
    /// Executed time.
    pub executed_us: u64,
    /// Time from admission to the end, added up.
    pub wall_us: u64,
}

/// Under how many microseconds the share `q` of what was counted lies; `None` if nothing was counted.
///
/// `bounds` are the upper bounds of `buckets`, ascending; a bucket behind the last bound holds what was above it. Inside a
/// bucket what was counted is taken as evenly spread. Of what was above the last bound only that bound is known, and given.
#[must_use]
pub fn quantile(bounds: &[u64], buckets: &[u64], q: f64) -> Option<u64> {
    let last = *bounds.last()?;
    let total: u64 = buckets.iter().fold(0, |sum, count| sum.saturating_add(*count));
    if total == 0 {
        return None;
    }
    let rank = rank(total, q);
    let mut lower = 0;
    let mut before = 0_u64;
    for (upper, count) in bounds.iter().zip(buckets) {
        let inside = rank.saturating_sub(before);
        if inside <= *count && *count > 0 {
            let width = u128::from(upper.saturating_sub(lower));
            let within = width * u128::from(inside) / u128::from(*count);
            return Some(lower.saturating_add(u64::try_from(within).unwrap_or(u64::MAX)));
        }
        before = before.saturating_add(*count);
        lower = *upper;
    }
    Some(last)
}

/// Which of `total` values, the smallest being the first, has the share `q` at or below it.
fn rank(total: u64, q: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest number that there is, and is held between 1 and the total"
    )]
    let rank = (total as f64 * q).ceil() as u64;
    rank.clamp(1, total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantiles_lie_inside_their_bucket() {
        let check = |buckets: &[u64], q: f64, expect: Option<u64>| {
            assert_eq!(quantile(&[100, 200, 1_000], buckets, q), expect, "{buckets:?} at {q}");
        };
        check(&[], 0.99, None);
        check(&[0, 0, 0, 0], 0.5, None);
        check(&[1, 0, 0, 0], 0.99, Some(100));
        check(&[4, 0, 0, 0], 0.25, Some(25));
        check(&[4, 0, 0, 0], 0.5, Some(50));
        check(&[50, 50, 0, 0], 0.5, Some(100));
        check(&[50, 50, 0, 0], 0.75, Some(150));
        check(&[99, 0, 1, 0], 0.99, Some(100));
        check(&[98, 0, 2, 0], 0.99, Some(600));
        // What was above every bound is at least the last one.
        check(&[0, 0, 0, 7], 0.01, Some(1_000));
        check(&[1, 0, 0, 99], 0.99, Some(1_000));
        // Shares that are none are taken for the nearest one.
        check(&[4, 0, 0, 0], -1.0, Some(25));
        check(&[4, 0, 0, 0], f64::NAN, Some(25));
        check(&[4, 0, 0, 0], 7.0, Some(100));
        // Fewer or more buckets than bounds: what a node of another release may say.
        check(&[0, 2], 1.0, Some(200));
        check(&[0, 0, 0, 1, 1, 1], 0.5, Some(1_000));
        // As large as numbers get.
        check(&[u64::MAX, u64::MAX, 0, 0], 0.5, Some(50));
        assert_eq!(quantile(&[], &[3], 0.5), None, "without bounds nothing is known");
        assert_eq!(quantile(&[0, u64::MAX], &[0, 2, 0], 0.5), Some(u64::MAX / 2));
        // Bounds that descend are no reason to stop.
        assert_eq!(quantile(&[100, 10], &[0, 1], 1.0), Some(100));
    }

    #[test]
    fn a_quantile_never_falls_while_its_share_rises() {
        let buckets = [3, 0, 9, 14, 2, 0, 0, 71, 5, 0, 1, 0, 0, 0, 2, 1];
        let all: Vec<u64> = (0..=100)
            .map(|percent| {
                quantile(&LATENCY_BOUNDS_US, &buckets, f64::from(percent) / 100.0).expect("something was counted")
            })
            .collect();
        assert!(all.is_sorted(), "{all:?}");
    }

    #[test]
    fn what_a_newer_node_adds_is_ignored_and_what_an_older_one_lacks_is_nothing() {
        let app = json!({
            "tenant": "acme", "app": "shop", "requests": 3, "errors": 1, "outcomes": {"ok": 2, "melted": 1},
            "latency": [3], "executed_us": 5, "wall_us": 7, "memory_peak_bytes": 65536, "bytes_in": 0, "bytes_out": 9,
            "cold_starts": 1, "last_us": 11, "mood": "good"
        });
        let view = json!({
            "at_us": 12, "started_us": 1, "latency_bounds_us": [50], "node": {"slots": 8, "moons": 2}, "apps": [app]
        });
        let view: LiveView = serde_json::from_value(view).expect("what is unknown is ignored");
        assert_eq!(view.node, Some(LiveNode { slots: 8, ..LiveNode::default() }));
        assert_eq!(view.apps[0].revisions, []);
        assert_eq!(view.apps[0].outcomes["melted"], 1);
        let said = serde_json::to_value(&view).expect("a view is JSON");
        assert_eq!(serde_json::from_value::<LiveView>(said).expect("and is read again"), view);
        let hidden = LiveView { node: None, ..view };
        assert_eq!(serde_json::to_value(&hidden).expect("a view is JSON").get("node"), None);
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for (key, value) in [("app", "\u{1b}[2J"), ("tenant", "a b"), ("app", "")] {
            let mut app = json!({
                "tenant": "acme", "app": "shop", "requests": 0, "errors": 0, "latency": [], "executed_us": 0, "wall_us": 0,
                "memory_peak_bytes": 0, "bytes_in": 0, "bytes_out": 0, "cold_starts": 0, "last_us": 0
            });
            serde_json::from_value::<LiveApp>(app.clone()).expect("it is well but for the name");
            app[key] = value.into();
            serde_json::from_value::<LiveApp>(app).expect_err(value);
        }
    }
}
