//! Reads `[app.probe]`.

use std::time::Duration;

use toml::de::DeValue;

use crate::document::{Findings, Problem, Section, Value};
use crate::probe::{PROBE_STATUS_MAX, Probe, ProbeMethod, ProbePath, ProbeStatus};
use crate::quantity::{format_duration, parse_duration};

const STATUS: &str = "a status such as `\"2xx\"` or `204`, or a list of them";

/// The probe; what is not given is the default.
pub(super) fn read(value: &Value<'_>, findings: &mut Findings) -> Option<Probe> {
    let section = findings.section(value, "app.probe", "a table, `[app.probe]`")?;
    section.check_keys(&["path", "method", "status", "timeout"], findings);
    let default = Probe::default();
    Some(Probe {
        path: read_path(&section, findings).unwrap_or(default.path),
        method: read_method(&section, findings).unwrap_or(default.method),
        status: read_status(&section, findings),
        timeout: read_timeout(&section, findings).unwrap_or(default.timeout),
    })
}

fn read_path(section: &Section<'_, '_>, findings: &mut Findings) -> Option<ProbePath> {
    let path = findings.text(section.get("path")?, &section.named("path"), "text, such as `\"/healthz\"`")?;
    findings.parsed(&path, ProbePath::parse)
}

fn read_method(section: &Section<'_, '_>, findings: &mut Findings) -> Option<ProbeMethod> {
    let name = section.named("method");
    let method = findings.text(section.get("method")?, &name, "`\"GET\"` or `\"HEAD\"`")?;
    let known = [ProbeMethod::Get, ProbeMethod::Head].into_iter().find(|known| known.as_str() == method.text);
    if known.is_none() {
        let problem = Problem::new(method.span, format!("{name} must be `\"GET\"` or `\"HEAD\"`"));
        findings.problem(problem.with_help("a probe changes nothing; use a path that is made for it"));
    }
    known
}

fn read_status(section: &Section<'_, '_>, findings: &mut Findings) -> Vec<ProbeStatus> {
    let name = section.named("status");
    let Some(value) = section.get("status") else { return Vec::new() };
    let Some(list) = value.get_ref().as_array() else {
        return read_one_status(value, &name, findings).into_iter().collect();
    };
    if list.is_empty() || list.len() > PROBE_STATUS_MAX {
        let message = format!("{name} must have 1 to {PROBE_STATUS_MAX} elements");
        let help = "leave it out, and every status below 500 is good";
        findings.problem(Problem::new(value.span(), message).with_help(help));
        return Vec::new();
    }
    let named = format!("an element of {name}");
    list.iter().filter_map(|value| read_one_status(value, &named, findings)).collect()
}

fn read_one_status(value: &Value<'_>, name: &str, findings: &mut Findings) -> Option<ProbeStatus> {
    if let DeValue::Integer(number) = value.get_ref() {
        let code = u16::from_str_radix(number.as_str(), number.radix()).ok();
        let code = code.and_then(|code| ProbeStatus::code(code).ok());
        if code.is_none() {
            findings.problem(Problem::new(value.span(), format!("{name} must be from 100 to 599")));
        }
        return code;
    }
    let text = findings.text(value, name, STATUS)?;
    findings.parsed(&text, str::parse)
}

fn read_timeout(section: &Section<'_, '_>, findings: &mut Findings) -> Option<Duration> {
    let name = section.named("timeout");
    let text = findings.text(section.get("timeout")?, &name, "a duration, such as `\"5s\"`")?;
    let timeout = findings.parsed(&text, parse_duration)?;
    if Probe::TIMEOUTS.contains(&timeout) {
        return Some(timeout);
    }
    let (least, most) = (format_duration(*Probe::TIMEOUTS.start()), format_duration(*Probe::TIMEOUTS.end()));
    let problem = Problem::new(text.span, format!("{name} must be from {least} to {most}"));
    findings.problem(problem.with_help("the default is `\"5s\"`"));
    None
}
