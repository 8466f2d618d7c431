//! What of a revision is compiled and run as one: a component alone, or with those that it is linked to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Revision, RevisionComponent, is_yes};
use crate::id::{ComponentName, Digest};

/// How compositions are made. Another number, and all are composed and compiled anew.
const COMPOSITION_FORMAT: u32 = 1;

/// A component that something other than a link reaches, with all that its links lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit<'a> {
    /// The component that triggers lead to.
    pub name: &'a ComponentName,
    /// What the revision says of it.
    pub component: &'a RevisionComponent,
    revision: &'a Revision,
}

/// Everything that a composition follows from.
#[derive(Serialize)]
struct Composed<'a> {
    composition: u32,
    entry: &'a ComponentName,
    members: BTreeMap<&'a ComponentName, Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    digest: Digest,
    link: &'a BTreeMap<String, ComponentName>,
    #[serde(skip_serializing_if = "is_yes")]
    snapshot: bool,
}

impl Revision {
    /// What is compiled and run, by the names of the components that triggers lead to.
    ///
    /// A component that only links lead to is part of others and no unit of its own.
    pub fn units(&self) -> impl Iterator<Item = Unit<'_>> {
        let linked: BTreeSet<&ComponentName> = self.components.values().flat_map(|one| one.link.values()).collect();
        let routed: BTreeSet<&ComponentName> = self.routes.iter().map(|route| &route.component).collect();
        self.components.iter().filter_map(move |(name, component)| {
            let is_called = || self.components.values().any(|other| other.grants.calls(name));
            let is_unit = !linked.contains(name) || routed.contains(name) || is_called();
            is_unit.then_some(Unit { name, component, revision: self })
        })
    }
}

impl<'a> Unit<'a> {
    /// Whether it is made of more than one component.
    #[must_use]
    pub fn is_composed(&self) -> bool {
        !self.component.link.is_empty()
    }

    /// Its components: first the one that triggers lead to, then all that links lead to, by name.
    #[must_use]
    pub fn members(&self) -> Vec<(&'a ComponentName, &'a RevisionComponent)> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&ComponentName> = self.component.link.values().collect();
        while let Some(name) = open.pop() {
            // Links form no circle; who writes a revision by hand may, and this ends all the same.
            if name == self.name || !reached.insert(name) {
                continue;
            }
            open.extend(self.revision.components.get(name).into_iter().flat_map(|found| found.link.values()));
        }
        let others = self.revision.components.iter().filter(|(name, _)| reached.contains(name));
        std::iter::once((self.name, self.component)).chain(others).collect()
    }

    /// What its compiled file is kept under: the digest of a component that stands alone and says nothing of snapshots,
    /// else of everything that the code follows from. No bytes are read for it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        if !self.is_composed() && self.component.snapshot {
            return self.component.digest;
        }
        let part = |(name, one): (&'a ComponentName, &'a RevisionComponent)| {
            (name, Part { digest: one.digest, link: &one.link, snapshot: one.snapshot })
        };
        let members = self.members().into_iter().map(part).collect();
        let composed = Composed { composition: COMPOSITION_FORMAT, entry: self.name, members };
        // Maps are ordered and all keys are text, so the form is one and the writer cannot fail.
        Digest::of(&serde_json::to_vec(&composed).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::Grants;
    use crate::id::AppName;
    use crate::limit::Limits;
    use crate::revision::REVISION_FORMAT;
    use crate::route::{Route, RoutePattern};

    fn name(text: &str) -> ComponentName {
        ComponentName::parse(text).unwrap()
    }

    /// Components with their links, as `front: auth store`; each route leads to one of `routed`.
    fn revision(components: &str, routed: &[&str]) -> Revision {
        let component = |line: &str| {
            let (own, links) = line.split_once(':').unwrap();
            let link = links.split_whitespace().map(|to| (format!("acme:{to}/api"), name(to))).collect();
            let digest = Digest::of(own.trim().as_bytes());
            let parts = RevisionComponent {
                digest,
                limits: Limits::default(),
                grants: Grants::default(),
                link,
                reuse: None,
                snapshot: true,
            };
            (name(own.trim()), parts)
        };
        let route = |to: &&str| Route {
            pattern: RoutePattern::parse("/*").unwrap(),
            host: None,
            methods: Vec::new(),
            component: name(to),
        };
        Revision {
            format: REVISION_FORMAT,
            app: AppName::parse("shop").unwrap(),
            version: None,
            components: components.lines().map(component).collect(),
            routes: routed.iter().map(route).collect(),
            probe: None,
            rollout: None,
            roots: Vec::new(),
        }
    }

    fn units(revision: &Revision) -> Vec<String> {
        let members =
            |unit: Unit<'_>| unit.members().iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ");
        revision.units().map(members).collect()
    }

    #[test]
    fn what_only_links_lead_to_is_part_of_others() {
        let check =
            |components, routed: &[&str], expect: &[&str]| assert_eq!(units(&revision(components, routed)), expect);
        check("front:", &["front"], &["front"]);
        check("auth:\nfront: auth", &["front"], &["front auth"]);
        check("auth:\nfront: auth", &["front", "auth"], &["auth", "front auth"]);
        // The entry first, whatever its name.
        check("a: z\nz: m b\nm: b\nb:", &["z"], &["a b m z", "z b m"]);
        check("alone:\nfront:", &["front"], &["alone", "front"]);
    }

    #[test]
    fn its_digest_follows_from_members_and_links_alone() {
        let digest = |revision: &Revision, of: &str| {
            let found = revision.units().find(|unit| unit.name.as_str() == of);
            found.unwrap().digest()
        };
        let before = revision("auth:\nfront: auth\nother:", &["front"]);
        assert_eq!(digest(&before, "other"), Digest::of(b"other"));
        let mut after = before.clone();
        after.components.get_mut("other").unwrap().digest = Digest::of(b"another");
        after.components.get_mut("auth").unwrap().grants.env.insert("A".into(), "b".into());
        assert_eq!(digest(&after, "front"), digest(&before, "front"));
        after.components.get_mut("auth").unwrap().digest = Digest::of(b"another");
        assert_ne!(digest(&after, "front"), digest(&before, "front"));
    }

    #[test]
    fn code_with_and_without_a_snapshot_is_told_apart() {
        let digests = |revision: &Revision| revision.units().map(|unit| unit.digest()).collect::<Vec<_>>();
        let with = revision("auth:\nfront: auth\nother:", &["front"]);
        let mut without = with.clone();
        for name in ["auth", "other"] {
            without.components.get_mut(&self::name(name)).unwrap().snapshot = false;
        }
        for (with, without) in digests(&with).into_iter().zip(digests(&without)) {
            assert_ne!(with, without);
        }
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(units(&revision("a: b\nb: a", &["a"])), ["a b"]);
    }
}
