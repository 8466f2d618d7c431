//! Reads `[logs]`: what the logs of apps may take of the disk.

use super::{LogLimits, value};
use crate::document::{Findings, Problem, Section};

pub(super) fn read(root: &Section<'_, '_>, findings: &mut Findings) -> LogLimits {
    let default = LogLimits::default();
    let Some(section) = root.get("logs").and_then(|value| findings.section(value, "logs", "a table, `[logs]`")) else {
        return default;
    };
    section.check_keys(&["per_app", "total"], findings);
    let bounds = LogLimits::PER_APP_MIN..=LogLimits::BYTES_MAX;
    let per_app = value::bytes_within(&section, "per_app", bounds.clone(), findings);
    let total = value::bytes_within(&section, "total", bounds, findings);
    let limits = LogLimits { per_app: per_app.unwrap_or(default.per_app), total: total.unwrap_or(default.total) };
    if limits.per_app > limits.total {
        let key = if per_app.is_some() { "per_app" } else { "total" };
        let message = format!("the log of one app may take {}, but all together {}", limits.per_app, limits.total);
        let help = "give `total` in `logs` at least as much as `per_app`";
        findings.problem(Problem::new(section.value_span(key), message).with_help(help));
    }
    limits
}
