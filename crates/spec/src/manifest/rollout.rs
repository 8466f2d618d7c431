//! Reads `[app.rollout]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::{Findings, Problem, Section, Value};
use crate::quantity::{format_duration, parse_duration};
use crate::rollout::Rollout;
use crate::traffic::Percent;

/// The bounds; what is not given is the default.
pub(super) fn read(value: &Value<'_>, findings: &mut Findings) -> Option<Rollout> {
    let section = findings.section(value, "app.rollout", "a table, `[app.rollout]`")?;
    section.check_keys(&["errors", "p99", "window", "requests"], findings);
    if section.get("errors").is_none() && section.get("p99").is_none() {
        let message = "`app.rollout` has neither `errors` nor `p99`, so no revision is ever taken back";
        findings.problem(Problem::new(section.span.clone(), message).with_help("add `errors = \"5%\"`"));
    }
    let default = Rollout::default();
    let requests = section
        .get("requests")
        .and_then(|value| findings.count(value, &section.named("requests"), Rollout::REQUESTS_MAX));
    Some(Rollout {
        errors: read_errors(&section, findings),
        p99: read_time(&section, "p99", &Rollout::P99S, findings),
        window: read_time(&section, "window", &Rollout::WINDOWS, findings).unwrap_or(default.window),
        requests: requests.unwrap_or(default.requests),
    })
}

fn read_errors(section: &Section<'_, '_>, findings: &mut Findings) -> Option<Percent> {
    let errors = findings.text(section.get("errors")?, &section.named("errors"), "text, such as `\"5%\"`")?;
    findings.parsed(&errors, Percent::parse)
}

fn read_time(
    section: &Section<'_, '_>,
    key: &str,
    bounds: &RangeInclusive<Duration>,
    findings: &mut Findings,
) -> Option<Duration> {
    let name = section.named(key);
    let text = findings.text(section.get(key)?, &name, "a duration, such as `\"60s\"`")?;
    let time = findings.parsed(&text, parse_duration)?;
    if bounds.contains(&time) {
        return Some(time);
    }
    let (least, most) = (format_duration(*bounds.start()), format_duration(*bounds.end()));
    findings.problem(Problem::new(text.span, format!("{name} must be from {least} to {most}")));
    None
}
