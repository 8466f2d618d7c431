//! Reads `[component.NAME.limit]`.

use std::time::Duration;

use crate::document::Problem;
use crate::document::{Findings, Section};
use crate::limit::Limits;
use crate::quantity::{Bytes, format_duration, parse_duration};

/// The limits; what is not given is the default.
pub(super) fn read(parent: &Section<'_, '_>, findings: &mut Findings) -> Limits {
    let default = Limits::default();
    let Some(section) = parent
        .get("limit")
        .and_then(|value| findings.section(value, &format!("{}.limit", parent.name), "a table of limits"))
    else {
        return default;
    };
    section.check_keys(&["memory", "cpu", "time", "concurrency"], findings);
    let concurrency = section
        .get("concurrency")
        .and_then(|value| findings.count(value, &section.named("concurrency"), Limits::CONCURRENCY_MAX));
    let limits = Limits {
        memory: read_memory(&section, findings).unwrap_or(default.memory),
        cpu: read_time(&section, "cpu", findings).unwrap_or(default.cpu),
        time: read_time(&section, "time", findings).unwrap_or(default.time),
        concurrency: concurrency.unwrap_or(default.concurrency),
    };
    if limits.cpu > limits.time && section.get("cpu").is_some() {
        let time = format_duration(limits.time);
        let message = format!("{} is longer than `time` ({time}), so it is never reached", section.named("cpu"));
        findings.warn(Problem::new(section.key_span("cpu"), message));
    }
    limits
}

fn read_memory(section: &Section<'_, '_>, findings: &mut Findings) -> Option<Bytes> {
    let name = section.named("memory");
    let text = findings.text(section.get("memory")?, &name, "a size, such as `\"128MiB\"`")?;
    let memory = findings.parsed(&text, Bytes::parse)?;
    if (Limits::MEMORY_MIN..=Limits::MEMORY_MAX).contains(&memory) {
        return Some(memory);
    }
    let message = format!("{name} must be from {} to {}", Limits::MEMORY_MIN, Limits::MEMORY_MAX);
    findings.problem(Problem::new(text.span, message).with_help("the default is `\"128MiB\"`"));
    None
}

fn read_time(section: &Section<'_, '_>, key: &str, findings: &mut Findings) -> Option<Duration> {
    let name = section.named(key);
    let text = findings.text(section.get(key)?, &name, "a duration, such as `\"10s\"`")?;
    let time = findings.parsed(&text, parse_duration)?;
    if !time.is_zero() && time <= Limits::TIME_MAX {
        return Some(time);
    }
    let message = format!("{name} must be above zero and at most {}", format_duration(Limits::TIME_MAX));
    findings.problem(Problem::new(text.span, message).with_help("leave it out for the default"));
    None
}
