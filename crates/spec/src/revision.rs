//! An app resolved: every reference is a digest, every folder absolute, nothing left to look up.

mod unit;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grant::Grants;
use crate::id::{AppName, ComponentName, Digest};
use crate::limit::Limits;
use crate::manifest::Reuse;
use crate::probe::Probe;
use crate::rollout::Rollout;
use crate::route::Route;

pub use self::unit::Unit;

/// The version of the written form of a [`Revision`].
pub const REVISION_FORMAT: u32 = 1;

/// An app as it runs. It never changes; another one takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The version of this form, [`REVISION_FORMAT`]; a reader refuses one that it does not know.
    pub format: u32,
    /// The app.
    pub app: AppName,
    /// The version that its author gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its components.
    pub components: BTreeMap<ComponentName, RevisionComponent>,
    /// Its HTTP routes, in the order of the manifest.
    pub routes: Vec<Route>,
    /// How it shows that it works; [`Probe::default`] where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Within which bounds it must stay to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Root certificates that its outbound requests trust like those of the platform: the PEM text of each file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
}

/// A component of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionComponent {
    /// The component's bytes.
    pub digest: Digest,
    /// What it may use.
    pub limits: Limits,
    /// What it may reach; folders are absolute.
    pub grants: Grants,
    /// Which imports other components of the app serve.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub link: BTreeMap<String, ComponentName>,
    /// Whether instances serve more than one invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<Reuse>,
    /// Whether it is run through its initialiser once, if it exports one, and starts from what that left behind.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub snapshot: bool,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

impl Revision {
    /// The identity of this revision: the digest of its written form, equal exactly when everything in it is.
    #[must_use]
    pub fn id(&self) -> Digest {
        // Maps are ordered and all keys are text, so the form is one and the writer cannot fail.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::RoutePattern;

    fn revision() -> Revision {
        let front = ComponentName::parse("front").unwrap();
        let component = RevisionComponent {
            digest: Digest::of(b"component"),
            limits: Limits::default(),
            grants: Grants {
                http: vec!["https://api.example.com".parse().map(crate::grant::HttpOrigin::into).unwrap()],
                env: [("LOG".to_owned(), "info".to_owned())].into(),
                ..Grants::default()
            },
            link: BTreeMap::new(),
            reuse: None,
            snapshot: true,
        };
        Revision {
            format: REVISION_FORMAT,
            app: AppName::parse("shop").unwrap(),
            version: Some("0.1.0".to_owned()),
            components: [(front.clone(), component)].into(),
            routes: vec![Route {
                pattern: RoutePattern::parse("/api/*").unwrap(),
                host: None,
                methods: vec![http::Method::GET],
                component: front,
            }],
            probe: None,
            rollout: None,
            roots: Vec::new(),
        }
    }

    #[test]
    fn the_written_form_comes_back() {
        let json = serde_json::to_string_pretty(&revision()).unwrap();
        insta::assert_snapshot!(json);
        let read: Revision = serde_json::from_str(&json).unwrap();
        assert_eq!(read, revision());
        assert_eq!(read.id(), revision().id());
    }

    /// What is only there when it was asked for leaves the digests of older revisions as they are: see the snapshot above.
    #[test]
    fn what_an_app_says_of_its_rollout_comes_back() {
        let mut full = revision();
        full.probe = Some(Probe::default());
        full.rollout = Some(Rollout::default());
        full.roots = vec!["-----BEGIN CERTIFICATE-----".to_owned()];
        let json = serde_json::to_string_pretty(&full).unwrap();
        insta::assert_snapshot!(json);
        assert_eq!(serde_json::from_str::<Revision>(&json).unwrap(), full);
    }

    /// A revision from before there were snapshots takes one, as its author would expect of a new one.
    #[test]
    fn that_no_snapshot_is_taken_is_written_down() {
        let mut other = revision();
        for component in other.components.values_mut() {
            component.snapshot = false;
        }
        let json = serde_json::to_string(&other).unwrap();
        assert!(json.contains(r#""snapshot":false"#), "{json}");
        assert_eq!(serde_json::from_str::<Revision>(&json).unwrap(), other);
        assert_ne!(other.id(), revision().id());
    }

    #[test]
    fn any_change_is_another_revision() {
        let mut other = revision();
        other.routes[0].methods.clear();
        assert_ne!(other.id(), revision().id());
    }
}
