//! Reads what a tenant asks of signatures: `keys` and `signatures`.

use super::{Signatures, Tenant};
use crate::document::{Findings, Problem, Section};
use crate::id::PublicKey;

pub(super) fn read(section: &Section<'_, '_>, findings: &mut Findings) -> (Vec<PublicKey>, Signatures) {
    let keys = read_keys(section, findings);
    let signatures = read_signatures(section, findings);
    let names_none = section.get("keys").and_then(|keys| keys.get_ref().as_array()).is_none_or(|keys| keys.is_empty());
    if signatures == Signatures::Required && names_none {
        let message = format!(
            "{} are required, and no key is trusted, so that nothing could be deployed",
            section.named("signatures")
        );
        let help = "add `keys = [\"cumulet-key:ed25519:…\"]`, with what `cumulet key new` printed";
        findings.problem(Problem::new(section.value_span("signatures"), message).with_help(help));
    }
    (keys, signatures)
}

fn read_signatures(section: &Section<'_, '_>, findings: &mut Findings) -> Signatures {
    let Some(value) = section.get("signatures") else { return Signatures::default() };
    let Some(text) = findings.text(value, &section.named("signatures"), "`\"required\"` or `\"optional\"`") else {
        return Signatures::default();
    };
    let read = findings.parsed(&text, |text| match text {
        "required" => Ok(Signatures::Required),
        "optional" => Ok(Signatures::Optional),
        other => Err(format!("{other:?} is neither `required` nor `optional`")),
    });
    read.unwrap_or_default()
}

fn read_keys(section: &Section<'_, '_>, findings: &mut Findings) -> Vec<PublicKey> {
    let expected = "a list, such as `[\"cumulet-key:ed25519:…\"]`";
    let Some(list) = section.get("keys").and_then(|value| findings.list(value, &section.named("keys"), expected))
    else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    for value in list.iter() {
        let named = format!("a key in {}", section.named("keys"));
        let Some(text) = findings.text(value, &named, "text, such as `\"cumulet-key:ed25519:…\"`") else { continue };
        let Some(key) = findings.parsed(&text, PublicKey::parse) else { continue };
        if keys.contains(&key) {
            findings.warn(Problem::new(text.span, format!("the key {} is named twice", key.id())));
            continue;
        }
        keys.push(key);
    }
    if keys.len() > Tenant::KEYS_MAX {
        let message =
            format!("{} has {} keys, and at most {} are trusted", section.named("keys"), keys.len(), Tenant::KEYS_MAX);
        let help = "remove those that nobody signs with any more";
        findings.problem(Problem::new(section.value_span("keys"), message).with_help(help));
    }
    keys
}
