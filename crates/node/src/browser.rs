//! A component for a browser: what jco makes of it, a host written in JavaScript, and a page to try it with.
//!
//! A folder of static files goes through three hands: [`unfit`] says whether a page offers what the component imports,
//! [`Draft`] has the component transpiled aside, and [`Draft::finish`] puts everything in its place at once.

mod draft;
mod files;
mod offer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::{AppName, ComponentName};
use cumulet_spec::manifest::Component;
use serde::Serialize;

use crate::check::{Access, Checked, Import, Inspection, Kind};
use crate::values::{self, ValueError, Variables};

pub use draft::{Draft, DraftError, PAGE_BYTES_MAX, TRANSPILE};

/// A reason why a component cannot run in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// What it is: a fragment that names the import, where one is the reason.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The grant that it is about.
    pub capability: Option<Capability>,
}

/// A file of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageFile {
    /// Its path in the folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
}

/// What a page knows of its component beside the component itself. Whoever opens the page can read all of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    app: String,
    component: String,
    environment: Vec<(String, String)>,
    config: Vec<(String, String)>,
    time_ms: u64,
}

impl Settings {
    /// Those of a component. Configuration values are read as they are now. Blocks.
    ///
    /// # Errors
    /// When a configuration value cannot be had.
    pub fn read(
        (app, name): (&AppName, &ComponentName),
        component: &Component,
        base_dir: &Path,
        variables: &Arc<Variables>,
    ) -> Result<Self, ValueError> {
        let owned = |values: BTreeMap<String, String>| values.into_iter().collect();
        let time_ms = u64::try_from(component.limits.time.as_millis()).unwrap_or(u64::MAX);
        Ok(Self {
            app: app.to_string(),
            component: name.to_string(),
            environment: owned(component.grants.env.clone()),
            config: owned(values::read_config(&component.grants.config, base_dir, variables)?),
            time_ms,
        })
    }
}

/// Why a component cannot run in a browser; nothing where it can.
///
/// What was not granted is refused there as it is here. What was granted and a page cannot give is a reason, and so is
/// an import that nothing stands behind.
#[must_use]
pub fn unfit(component: &Component, inspection: &Inspection, checked: &Checked) -> Vec<Unfit> {
    if inspection.kind != Kind::HttpP2 {
        return vec![unfit_kind(inspection.kind)];
    }
    let imports = checked.imports.iter().filter_map(|import| unfit_import(component, import));
    let mut reasons: Vec<Unfit> = unfit_link(component).into_iter().chain(imports).collect();
    reasons.dedup_by(|one, other| one.capability.is_some() && one.capability == other.capability);
    reasons
}

fn unfit_kind(kind: Kind) -> Unfit {
    let help = match kind {
        Kind::HttpP3 => {
            "build it for WASI 0.2: a component that exports `wasi:http/incoming-handler@0.2` runs in both places"
        }
        _ => "name a component that exports `wasi:http/incoming-handler@0.2`",
    };
    let message = match kind {
        Kind::HttpP3 => format!("it is an {kind}, which is not offered for browsers yet"),
        _ => format!("it is a {kind}, and a page gives it requests"),
    };
    Unfit { message, help: help.to_owned(), capability: None }
}

fn unfit_link(component: &Component) -> Option<Unfit> {
    let (import, other) = component.link.first_key_value()?;
    Some(Unfit {
        message: format!(
            "its import `{import}` is linked to `{other}`, and compositions are not offered for browsers yet"
        ),
        help: "build it without the link, or serve the app on a node".to_owned(),
        capability: None,
    })
}

fn unfit_import(component: &Component, import: &Import) -> Option<Unfit> {
    let name = &import.name;
    let reason = |message: String, help: &str| Unfit { message, help: help.to_owned(), capability: import.capability };
    match &import.access {
        Access::Missing => Some(reason(
            format!("it imports `{name}`, and a page has no stores"),
            "build it without that import, or serve it on a node",
        )),
        Access::Granted(_) => import.capability.and_then(|_| granted(&component.grants, import)),
        // What the node does not offer either is the check's to say, and links are a reason of their own.
        Access::NotOffered | Access::Linked(_) => None,
        Access::Always | Access::Refused if offer::has(name) => None,
        Access::Always | Access::Refused => Some(reason(
            format!("it imports `{name}`, which a page does not offer"),
            "build it for the interfaces of WASI 0.2, or serve it on a node",
        )),
    }
}

/// What is wrong with the grant behind an import.
fn granted(grants: &Grants, import: &Import) -> Option<Unfit> {
    let capability = match import.capability? {
        Capability::Config | Capability::Secret if grants.has(Capability::Secret) => Capability::Secret,
        Capability::Config | Capability::Env => return None,
        other => other,
    };
    let help = match capability {
        Capability::Http => {
            "remove the grant, and every outbound request ends with `HTTP-request-denied`; or serve it on a node"
        }
        Capability::Network => {
            "remove the grant, and every connection ends with `access-denied`; or serve it on a node"
        }
        Capability::File => "remove the grant, and it finds no folders; or serve it on a node",
        Capability::Secret => "remove the grant: whoever opens a page can read everything in it; or serve it on a node",
        _ => "build it without that import, or serve it on a node",
    };
    let message = format!("it imports `{}` and was granted `{capability}`, which a page cannot give", import.name);
    Some(Unfit { message, help: help.to_owned(), capability: Some(capability) })
}

#[cfg(test)]
mod tests;
