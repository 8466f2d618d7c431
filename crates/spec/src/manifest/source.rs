//! Reads `source`.

use std::path::{Path, PathBuf};

use super::component::Source;
use crate::document::Problem;
use crate::document::{Findings, Section, Value};
use crate::id::Digest;
use crate::reference::Reference;

const EXPECTED: &str = "a file, such as `\"front.wasm\"`, or `{ oci = \"…\", digest = \"sha256:…\" }`, or `{ url = \"…\", digest = \"sha256:…\" }`";

pub(super) fn read(parent: &Section<'_, '_>, value: &Value<'_>, findings: &mut Findings) -> Option<Source> {
    if value.get_ref().is_table() {
        let section = findings.section(value, &format!("{}.source", parent.name), EXPECTED)?;
        return read_remote(&section, findings);
    }
    let file = findings.filled(value, &parent.named("source"), EXPECTED)?;
    let extension = Path::new(file.text).extension().unwrap_or_default();
    let is_url = file.text.contains("://");
    if !is_url && (extension == "wasm" || extension == "wat") {
        return Some(Source::File(PathBuf::from(file.text)));
    }
    let message = format!("{:?} is not a `.wasm` or `.wat` file", file.text);
    let help = if is_url {
        "write `source = { url = \"…\", digest = \"sha256:…\" }`"
    } else {
        "name the file that the build makes, for example `target/wasm32-wasip2/release/front.wasm`"
    };
    findings.problem(Problem::new(file.span, message).with_help(help));
    None
}

fn read_remote(section: &Section<'_, '_>, findings: &mut Findings) -> Option<Source> {
    section.check_keys(&["oci", "url", "digest"], findings);
    let digest = section
        .require("digest", "digest = \"sha256:…\"", findings)
        .and_then(|value| findings.text(value, &section.named("digest"), "text, such as `\"sha256:…\"`"))
        .and_then(|text| findings.parsed(&text, Digest::parse));
    match (section.get("oci"), section.get("url")) {
        (Some(oci), None) => {
            let reference = read_reference(section, oci, findings)?;
            Some(Source::Oci { reference, digest: digest? })
        }
        (None, Some(url)) => {
            let url = read_url(section, url, findings)?;
            Some(Source::Url { url, digest: digest? })
        }
        (both, _) => {
            let fault = if both.is_some() { "both `oci` and `url`" } else { "neither `oci` nor `url`" };
            let message = format!("`{}` has {fault}", section.name);
            findings.problem(Problem::new(section.span.clone(), message).with_help("give one of the two"));
            None
        }
    }
}

fn read_reference(section: &Section<'_, '_>, value: &Value<'_>, findings: &mut Findings) -> Option<Reference> {
    let text = findings.filled(value, &section.named("oci"), "text, such as `\"ghcr.io/me/front:1.0\"`")?;
    let read = Reference::parse(text.text).map_err(|error| {
        let message = format!("{:?} is not a reference to an image", error.found);
        let help = "write REGISTRY/REPOSITORY:TAG, for example `ghcr.io/me/front:1.0`";
        findings.problem(Problem::new(text.span, message).with_help(help));
    });
    read.ok()
}

fn read_url(section: &Section<'_, '_>, value: &Value<'_>, findings: &mut Findings) -> Option<String> {
    let text = findings.filled(value, &section.named("url"), "text, such as `\"https://example.com/front.wasm\"`")?;
    let uri = text.text.parse::<http::Uri>().ok();
    let valid =
        uri.as_ref().is_some_and(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("https" | "http")));
    if valid && uri.is_some_and(|uri| uri.authority().is_some_and(|authority| authority.as_str().contains('@'))) {
        let message = format!("{} holds a name or a password", section.named("url"));
        let help =
            "a manifest is no place for secrets: keep the component in a registry, or where everyone may read it";
        findings.problem(Problem::new(text.span, message).with_help(help));
        return None;
    }
    if !valid {
        let message = format!("{:?} is not a URL", text.text);
        let help = "write an `https://` or `http://` URL, for example `https://example.com/front.wasm`";
        findings.problem(Problem::new(text.span, message).with_help(help));
        return None;
    }
    Some(text.text.to_owned())
}
