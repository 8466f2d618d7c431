//! Values with a unit or a form of their own.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::{Findings, Problem, Section};
use crate::quantity::{Bytes, format_duration, parse_duration};

/// A whole number from 1 to `max`.
pub(super) fn count(section: &Section<'_, '_>, key: &str, max: u32, findings: &mut Findings) -> Option<u32> {
    findings.count(section.get(key)?, &section.named(key), max)
}

/// A size, of any value.
pub(super) fn bytes(section: &Section<'_, '_>, key: &str, findings: &mut Findings) -> Option<Bytes> {
    let text = findings.text(section.get(key)?, &section.named(key), "a size, such as `\"128MiB\"`")?;
    findings.parsed(&text, Bytes::parse)
}

/// A length of time, of any value.
pub(super) fn duration(section: &Section<'_, '_>, key: &str, findings: &mut Findings) -> Option<Duration> {
    let text = findings.text(section.get(key)?, &section.named(key), "a duration, such as `\"10s\"`")?;
    findings.parsed(&text, parse_duration)
}

/// A size within bounds.
pub(super) fn bytes_within(
    section: &Section<'_, '_>,
    key: &str,
    bounds: RangeInclusive<Bytes>,
    findings: &mut Findings,
) -> Option<Bytes> {
    let found = bytes(section, key, findings)?;
    let is_within = bounds.contains(&found);
    if !is_within {
        outside(section, key, (bounds.start().to_string(), bounds.end().to_string()), findings);
    }
    is_within.then_some(found)
}

/// A length of time within bounds.
pub(super) fn duration_within(
    section: &Section<'_, '_>,
    key: &str,
    bounds: RangeInclusive<Duration>,
    findings: &mut Findings,
) -> Option<Duration> {
    let found = duration(section, key, findings)?;
    let is_within = bounds.contains(&found);
    if !is_within {
        outside(section, key, (format_duration(*bounds.start()), format_duration(*bounds.end())), findings);
    }
    is_within.then_some(found)
}

fn outside(section: &Section<'_, '_>, key: &str, (least, most): (String, String), findings: &mut Findings) {
    let message = format!("{} must be from {least} to {most}", section.named(key));
    findings.problem(Problem::new(section.value_span(key), message));
}

/// An address of this machine and a port.
pub(super) fn address(section: &Section<'_, '_>, key: &str, findings: &mut Findings) -> Option<SocketAddr> {
    let expected = "an address and a port, such as `\"127.0.0.1:3000\"`";
    let text = findings.text(section.get(key)?, &section.named(key), expected)?;
    findings.parsed(&text, |text| {
        parse_address(text).ok_or_else(|| format!("{text:?} is not an address: write {expected}"))
    })
}

/// The one name that needs no look-up is taken as well.
fn parse_address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?))),
        None => text.parse().ok(),
    }
}
