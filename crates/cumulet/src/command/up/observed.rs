//! `--observe`: the smallest manifest that real traffic needed, for a person to accept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use cumulet_node::Asked;
use cumulet_spec::grant::Capability;
use cumulet_spec::id::ComponentName;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;
use crate::terminal::Terminal;

/// What each component asked for, by capability and by the text that grants it.
pub(super) type Observed = BTreeMap<ComponentName, BTreeMap<(Capability, String), Asked>>;

/// Grants that no request shows: what a guest does with them stays inside of it.
const UNSEEN: [Capability; 2] = [Capability::Env, Capability::File];

/// Writes what was observed to a file, and says so.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(file: &Path, target: &Target, observed: &Observed, terminal: Terminal) -> Result<(), Box<Failure>> {
    std::fs::write(file, text(target, observed)).map_err(|error| {
        Failure::new(Exit::FAILED, "cannot write what was observed")
            .at(file)
            .because(&error)
            .next("choose another file with --observe=FILE")
    })?;
    let denied = observed.values().flatten().filter(|(_, asked)| asked.denied > 0).count();
    terminal.done(&format!("observed: {} denied, see {}", counted(denied, "grant"), file.display()));
    Ok(())
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The grants of each component as a manifest has them, with what was asked for as comments.
fn text(target: &Target, observed: &Observed) -> String {
    let mut text =
        String::from("# What components asked for while `cumulet up --observe` ran. Take over what you agree to.\n");
    for (name, component) in &target.manifest.components {
        let nothing = BTreeMap::new();
        let asked = observed.get(name).unwrap_or(&nothing);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n[component.{name}.grant]");
        for capability in Capability::ALL {
            let entries: Vec<_> = asked.iter().filter(|((of, _), _)| *of == capability).collect();
            if !entries.is_empty() {
                grant(&mut text, capability, &entries);
            } else if component.grants.has(capability) {
                let why = if UNSEEN.contains(&capability) {
                    "granted; its use cannot be seen"
                } else {
                    "granted, and never asked for"
                };
                let _ = writeln!(text, "# {capability}: {why}");
            }
        }
    }
    text
}

fn grant(text: &mut String, capability: Capability, entries: &[(&(Capability, String), &Asked)]) {
    let counts = |asked: &Asked| match (asked.granted, asked.denied) {
        (granted, 0) => format!("{granted} granted"),
        (0, denied) => format!("{denied} denied"),
        (granted, denied) => format!("{granted} granted, {denied} denied"),
    };
    let entries = entries.iter().map(|((_, entry), asked)| (serde_json::Value::from(entry.as_str()), counts(asked)));
    if capability == Capability::Config {
        // What a value is to be, only a person knows.
        for (key, counts) in entries {
            let _ = writeln!(text, "# config or secret {key}: {counts}");
        }
        return;
    }
    let _ = writeln!(text, "{capability} = [");
    for (entry, counts) in entries {
        let _ = writeln!(text, "    {entry},  # {counts}");
    }
    text.push_str("]\n");
}
