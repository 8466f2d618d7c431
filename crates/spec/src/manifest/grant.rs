//! Reads `[component.NAME.grant]`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use crate::document::Problem;
use crate::document::{Findings, Section, Value, list_of};
use crate::grant::{Capability, ConfigSource, FileGrant, Grants, HttpGrant, HttpOrigin, NetworkGrant};

/// The grants, and where the key of each stands.
pub(super) type GrantsAndSpans = (Grants, BTreeMap<Capability, Range<usize>>);

const ORIGIN: &str = "text, such as `\"https://api.example.com\"`";
const FILE: &str = "a table, such as `{ from = \"assets\", at = \"/assets\" }`";

pub(super) fn read(parent: &Section<'_, '_>, findings: &mut Findings) -> GrantsAndSpans {
    let Some(section) = parent
        .get("grant")
        .and_then(|value| findings.section(value, &format!("{}.grant", parent.name), "a table of grants"))
    else {
        return GrantsAndSpans::default();
    };
    section.check_keys(&Capability::ALL.map(Capability::label), findings);
    let spans = Capability::ALL
        .into_iter()
        .filter(|capability| section.get(capability.label()).is_some())
        .map(|capability| (capability, section.key_span(capability.label())))
        .collect();
    let grants = Grants {
        http: read_each(&section, Capability::Http, ORIGIN, findings, read_http),
        keyvalue: read_names(&section, Capability::Keyvalue, "\"default\"", findings),
        blobstore: read_names(&section, Capability::Blobstore, "\"images\"", findings),
        sqlite: read_names(&section, Capability::Sqlite, "\"default\"", findings),
        postgres: read_names(&section, Capability::Postgres, "\"main\"", findings),
        config: read_config(&section, findings),
        secret: read_names(&section, Capability::Secret, "\"JWT_KEY\"", findings),
        env: read_env(&section, findings),
        file: read_files(&section, findings),
        network: read_each(
            &section,
            Capability::Network,
            "text, such as `\"tcp:db.internal:5432\"`",
            findings,
            read_network,
        ),
    };
    warn_repeated(&section, findings);
    (grants, spans)
}

/// What one element of a list is read with: its section, itself, and what it is expected to be.
type ReadElement<T> = fn(&Section<'_, '_>, &Value<'_>, &str, &mut Findings) -> Option<T>;

fn read_each<T>(
    section: &Section<'_, '_>,
    capability: Capability,
    element: &str,
    findings: &mut Findings,
    read: ReadElement<T>,
) -> Vec<T> {
    let key = capability.label();
    let Some(list) = section
        .get(key)
        .and_then(|value| findings.list(value, &section.named(key), &format!("a list; each element is {element}")))
    else {
        return Vec::new();
    };
    list.iter().filter_map(|value| read(section, value, element, findings)).collect()
}

fn read_http(
    section: &Section<'_, '_>,
    value: &Value<'_>,
    expected: &str,
    findings: &mut Findings,
) -> Option<HttpGrant> {
    if !value.get_ref().is_table() {
        let text = findings.text(value, &format!("an origin of {}", section.named("http")), expected)?;
        return findings.parsed(&text, HttpOrigin::parse).map(HttpGrant::from);
    }
    let entry = findings.section(value, &format!("{}.http", section.name), expected)?;
    entry.check_keys(&["origin", "cache"], findings);
    let cache = entry.get("cache").and_then(|value| findings.flag(value, &entry.named("cache")));
    let origin = entry.require("origin", "origin = \"https://api.example.com\"", findings)?;
    let origin = findings.text(origin, &entry.named("origin"), expected)?;
    let origin = findings.parsed(&origin, HttpOrigin::parse)?;
    Some(HttpGrant { origin, cache: cache.unwrap_or_default() })
}

fn read_network(
    section: &Section<'_, '_>,
    value: &Value<'_>,
    expected: &str,
    findings: &mut Findings,
) -> Option<NetworkGrant> {
    let text = findings.text(value, &format!("an element of {}", section.named("network")), expected)?;
    findings.parsed(&text, NetworkGrant::parse)
}

fn read_names(
    section: &Section<'_, '_>,
    capability: Capability,
    example: &str,
    findings: &mut Findings,
) -> Vec<String> {
    let element = format!("a name, such as `{example}`");
    read_each(section, capability, &element, findings, read_name)
}

fn read_name(section: &Section<'_, '_>, value: &Value<'_>, expected: &str, findings: &mut Findings) -> Option<String> {
    let text = findings.filled(value, &format!("a name in `{}`", section.name), expected)?;
    if text.text.chars().any(|char| char.is_control() || char.is_whitespace()) {
        let message = format!("{:?} is not a name: it holds a space or a control character", text.text);
        findings.problem(Problem::new(text.span, message).with_help(format!("write {expected}")));
        return None;
    }
    Some(text.text.to_owned())
}

/// Reads a table of entries, each with `read`.
fn read_table<T>(
    section: &Section<'_, '_>,
    (capability, expected): (Capability, &str),
    findings: &mut Findings,
    read: fn(&Section<'_, '_>, &str, &Value<'_>, &mut Findings) -> Option<T>,
) -> BTreeMap<String, T> {
    let key = capability.label();
    let Some(entries) =
        section.get(key).and_then(|value| findings.section(value, &format!("{}.{key}", section.name), expected))
    else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for (key, value) in entries.table.iter() {
        if let Some(entry) = read(&entries, key.get_ref(), value, findings) {
            found.insert(key.get_ref().to_string(), entry);
        }
    }
    found
}

fn read_text(entries: &Section<'_, '_>, key: &str, value: &Value<'_>, findings: &mut Findings) -> Option<String> {
    findings.text(value, &entries.named(key), "text in quotes").map(|text| text.text.to_owned())
}

fn read_config(section: &Section<'_, '_>, findings: &mut Findings) -> BTreeMap<String, ConfigSource> {
    let expected = "a table of values, such as `{ greeting = \"hello\" }`";
    read_table(section, (Capability::Config, expected), findings, read_source)
}

/// `"text"`, `{ file = "flags.json" }` or `{ env = "REGION" }`.
fn read_source(
    entries: &Section<'_, '_>,
    key: &str,
    value: &Value<'_>,
    findings: &mut Findings,
) -> Option<ConfigSource> {
    let name = entries.named(key);
    if !value.get_ref().is_table() {
        let expected = "text in quotes, `{ file = \"flags.json\" }` or `{ env = \"REGION\" }`";
        return findings.text(value, &name, expected).map(|text| ConfigSource::from(text.text));
    }
    let entry = findings.section(value, &format!("{}.{key}", entries.name), "a table")?;
    entry.check_keys(&["file", "env"], findings);
    let (file, env) = (entry.get("file"), entry.get("env"));
    match (file, env) {
        (Some(file), None) => {
            let path = findings.filled(file, &entry.named("file"), "a file, such as `\"flags.json\"`")?;
            Some(ConfigSource::File(PathBuf::from(path.text)))
        }
        (None, Some(env)) => {
            let variable = findings.filled(env, &entry.named("env"), "the name of a variable, such as `\"REGION\"`")?;
            Some(ConfigSource::Env(variable.text.to_owned()))
        }
        (Some(_), Some(_)) | (None, None) => {
            let message = format!("{name} must come from one place");
            let help = "write text in quotes, `{ file = \"flags.json\" }` or `{ env = \"REGION\" }`";
            findings.problem(Problem::new(entry.span.clone(), message).with_help(help));
            None
        }
    }
}

fn read_env(section: &Section<'_, '_>, findings: &mut Findings) -> BTreeMap<String, String> {
    let expected = "a table of text, such as `{ LOG = \"info\" }`";
    let env = read_table(section, (Capability::Env, expected), findings, read_text);
    for (key, text) in &env {
        if key.is_empty() || key.contains(['=', '\0']) || text.contains('\0') {
            let message = format!("{key:?} cannot be an environment variable");
            let help = "a name is not empty and holds no `=`; neither it nor its text holds a zero byte";
            findings.problem(Problem::new(section.key_span("env"), message).with_help(help));
        }
    }
    env
}

fn read_files(section: &Section<'_, '_>, findings: &mut Findings) -> Vec<FileGrant> {
    let files = read_each(section, Capability::File, FILE, findings, read_file);
    for (place, file) in files.iter().enumerate() {
        if files.iter().take(place).any(|earlier| earlier.at == file.at) {
            let message = format!("two folders are granted at `{}`", file.at);
            findings.problem(Problem::new(section.key_span("file"), message).with_help("give each a path of its own"));
        }
    }
    files
}

fn read_file(
    section: &Section<'_, '_>,
    value: &Value<'_>,
    expected: &str,
    findings: &mut Findings,
) -> Option<FileGrant> {
    let entry = findings.section(value, &format!("{}.file", section.name), expected)?;
    entry.check_keys(&["from", "at", "write"], findings);
    let write = entry.get("write").and_then(|value| findings.flag(value, &entry.named("write")));
    let at = entry
        .require("at", "at = \"/assets\"", findings)
        .and_then(|value| findings.filled(value, &entry.named("at"), "a path, such as `\"/assets\"`"))
        .and_then(|text| findings.parsed(&text, parse_guest_path));
    let from = entry.require("from", "from = \"assets\"", findings)?;
    let from = findings.filled(from, &entry.named("from"), "a folder, such as `\"assets\"`")?;
    Some(FileGrant { from: PathBuf::from(from.text), at: at?, write: write.unwrap_or_default() })
}

/// A path of the guest: absolute, without `.` and `..`; a `/` at its end is taken off.
fn parse_guest_path(text: &str) -> Result<String, String> {
    let fault = || format!("{text:?} is not a path of the guest: write an absolute one, for example `/assets`");
    let rest = text.strip_prefix('/').ok_or_else(fault)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let valid = |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains('\0');
    if rest.is_empty() || rest.split('/').all(valid) { Ok(format!("/{rest}")) } else { Err(fault()) }
}

/// A name, an origin or a socket that is granted twice.
fn warn_repeated(section: &Section<'_, '_>, findings: &mut Findings) {
    for capability in Capability::ALL {
        let list = section.get(capability.label()).and_then(|value| value.get_ref().as_array());
        let texts: Vec<_> =
            list.into_iter().flat_map(|list| list.iter()).map(|value| value.get_ref().as_str()).collect();
        for (place, value) in list.into_iter().flat_map(|list| list.iter()).enumerate() {
            let text = value.get_ref().as_str();
            if text.is_some() && texts.iter().take(place).any(|earlier| *earlier == text) {
                let message = format!("{} is granted twice", list_of(text));
                findings.warn(Problem::new(value.span(), message));
            }
        }
    }
}
