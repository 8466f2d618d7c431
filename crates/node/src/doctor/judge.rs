//! Facts, judged. Nothing here looks at the machine.

mod isolation;
mod limits;
mod network;
mod storage;

use super::facts::Facts;
use super::finding::{Finding, Group, State};

/// Judges everything, in the order in which it is shown.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let groups: [&[Check]; 4] = [isolation::CHECKS, limits::CHECKS, storage::CHECKS, network::CHECKS];
    groups
        .into_iter()
        .zip(Group::ALL)
        .flat_map(|(checks, group)| checks.iter().map(move |check| (check, group)))
        .map(|(check, group)| {
            let Verdict { state, found, next } = (check.judge)(facts);
            Finding { check: check.name, group, state, found, why: check.why, next }
        })
        .collect()
}

/// One check.
struct Check {
    name: &'static str,
    why: &'static str,
    judge: fn(&Facts) -> Verdict,
}

/// What it comes to.
struct Verdict {
    state: State,
    found: String,
    next: Option<String>,
}

fn ok(found: impl Into<String>) -> Verdict {
    Verdict { state: State::Ok, found: found.into(), next: None }
}

fn weak(found: impl Into<String>, next: impl Into<String>) -> Verdict {
    Verdict { state: State::Weak, found: found.into(), next: Some(next.into()) }
}

fn missing(found: impl Into<String>, next: impl Into<String>) -> Verdict {
    Verdict { state: State::Missing, found: found.into(), next: Some(next.into()) }
}

fn unknown(found: impl Into<String>, next: impl Into<String>) -> Verdict {
    Verdict { state: State::Unknown, found: found.into(), next: Some(next.into()) }
}

/// What is only known on another system.
fn unsaid(what: &str) -> Verdict {
    Verdict { state: State::Unknown, found: format!("this system does not say {what}"), next: None }
}

/// A size in the largest unit that it has one of, rounded down.
fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, shift)| bytes >> shift > 0);
    unit.map_or_else(|| format!("{bytes} B"), |(name, shift)| format!("{} {name}", bytes >> shift))
}
