//! What passed, and what did not and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::conformance::specification::World;
use crate::conformance::suite::Test;

/// How one test ended.
#[derive(Debug)]
pub(super) struct Verdict {
    world: String,
    name: String,
    failure: Option<String>,
}

impl Verdict {
    /// The verdict on a test that ran with this result.
    pub(super) fn of(test: &Test, result: anyhow::Result<()>) -> Self {
        let world = match test.specification.world {
            World::Command => "command",
            World::Service => "service",
        };
        let version = match test.version.as_str() {
            "wasm32-wasip1" => "preview 1",
            "wasm32-wasip2" => "WASI 0.2",
            "wasm32-wasip3" => "WASI 0.3",
            other => other,
        };
        Self {
            world: format!("{version} {world}"),
            name: test.name.clone(),
            failure: result.err().map(|error| format!("{error:#}")),
        }
    }
}

/// The verdicts on all tests.
#[derive(Debug)]
pub(super) struct Report(Vec<Verdict>);

#[derive(Debug, Default)]
struct Count {
    passed: usize,
    failed: usize,
}

impl Report {
    pub(super) fn new(mut verdicts: Vec<Verdict>) -> Self {
        verdicts.sort_by(|one, other| (&one.world, &one.name).cmp(&(&other.world, &other.name)));
        Self(verdicts)
    }

    pub(super) fn total(&self) -> usize {
        self.0.len()
    }

    pub(super) fn failed(&self) -> usize {
        self.failures().count()
    }

    fn failures(&self) -> impl Iterator<Item = (&Verdict, &str)> {
        self.0.iter().filter_map(|verdict| Some((verdict, verdict.failure.as_deref()?)))
    }

    fn counts(&self) -> BTreeMap<&str, Count> {
        let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
        for verdict in &self.0 {
            let count = counts.entry(&verdict.world).or_default();
            match verdict.failure {
                None => count.passed += 1,
                Some(_) => count.failed += 1,
            }
        }
        counts
    }

    /// Lines for people.
    pub(super) fn table(&self) -> String {
        let mut text = format!("{:<20} {:>7} {:>7}\n", "world", "passed", "failed");
        let mut row = |world: &str, passed: usize, failed: usize| {
            // Writing to a string cannot fail.
            writeln!(text, "{world:<20} {passed:>7} {failed:>7}").unwrap_or_default();
        };
        for (world, count) in self.counts() {
            row(world, count.passed, count.failed);
        }
        row("all", self.total() - self.failed(), self.failed());
        for (verdict, why) in self.failures() {
            let why = why.replace('\n', "\n    ");
            writeln!(text, "\n{} ({})\n    {why}", verdict.name, verdict.world).unwrap_or_default();
        }
        text
    }

    /// One value for machines.
    pub(super) fn json(&self) -> Value {
        let worlds: Vec<_> = self
            .counts()
            .into_iter()
            .map(|(world, count)| json!({ "world": world, "passed": count.passed, "failed": count.failed }))
            .collect();
        let failures: Vec<_> = self
            .failures()
            .map(|(verdict, why)| json!({ "world": verdict.world, "test": verdict.name, "why": why }))
            .collect();
        json!({ "total": self.total(), "failed": self.failed(), "worlds": worlds, "failures": failures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(world: &str, name: &str, failure: Option<&str>) -> Verdict {
        Verdict { world: world.into(), name: name.into(), failure: failure.map(Into::into) }
    }

    #[test]
    fn failures_are_listed_with_their_reasons() {
        let report = Report::new(vec![
            verdict("preview 1 command", "c/b", None),
            verdict("WASI 0.3 service", "rust/a", Some("expected exit code 0, got 1\nstderr: no luck")),
        ]);
        assert_eq!((report.total(), report.failed()), (2, 1));
        let expect = "world                 passed  failed\n\
                      WASI 0.3 service           0       1\n\
                      preview 1 command          1       0\n\
                      all                        1       1\n\n\
                      rust/a (WASI 0.3 service)\n    expected exit code 0, got 1\n    stderr: no luck\n";
        assert_eq!(report.table(), expect);
        assert_eq!(report.json()["failures"][0]["test"], "rust/a");
    }
}
