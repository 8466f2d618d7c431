//! One link: which import it is about, which export answers it, and whether their types agree.

use std::collections::{BTreeMap, HashSet};

use cumulet_spec::id::ComponentName;
use cumulet_spec::member::MemberImport;
use wac_graph::types::{InterfaceId, ItemKind, SubtypeChecker, Type, Types, WorldId};

use crate::problem::ProblemKind;
use crate::signature::Writer;

/// How many letters a name may be off to be what was meant.
const TYPOS_MAX: usize = 3;

/// A component as an end of a link.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) name: &'a ComponentName,
    pub(crate) world: WorldId,
}

/// What answers an import.
#[derive(Debug, PartialEq, Eq)]
enum Answer<'a> {
    Export(&'a str),
    /// The same interface in a version that does not go with it.
    Version(&'a str),
    Nothing,
}

/// The link that an import is about: by its whole name, or without the version.
pub(crate) fn link_of<'a>(
    link: &'a BTreeMap<String, ComponentName>,
    import: &str,
) -> Option<(&'a String, &'a ComponentName)> {
    link.get_key_value(import).or_else(|| link.get_key_value(unversioned(import)))
}

/// The imports that a link is about.
///
/// # Errors
/// When there is none.
pub(crate) fn imports<'a>(types: &'a Types, importer: End<'_>, link: &str) -> Result<Vec<&'a str>, ProblemKind> {
    let imports = || types[importer.world].imports.keys().map(String::as_str);
    let found: Vec<&str> = imports().filter(|import| *import == link || unversioned(import) == link).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    Err(ProblemKind::NoImport {
        importer: importer.name.clone(),
        link: link.to_owned(),
        nearest: nearest(link, imports()).map(str::to_owned),
    })
}

/// The export that answers an import, its types compared.
///
/// # Errors
/// When there is none, or it does not fit.
pub(crate) fn export<'a>(
    types: &'a Types,
    (importer, import): (End<'_>, &str),
    exporter: End<'_>,
) -> Result<&'a str, ProblemKind> {
    let exports = &types[exporter.world].exports;
    let export = match answer(import, exports.keys().map(String::as_str)) {
        Answer::Export(name) => name,
        Answer::Version(name) => {
            return Err(ProblemKind::Versions {
                importer: importer.name.clone(),
                import: import.to_owned(),
                exporter: exporter.name.clone(),
                export: name.to_owned(),
            });
        }
        Answer::Nothing => {
            return Err(ProblemKind::NoExport {
                importer: importer.name.clone(),
                import: import.to_owned(),
                exporter: exporter.name.clone(),
                exports: exports.keys().cloned().collect(),
            });
        }
    };
    let kinds = types[importer.world].imports.get(import).zip(exports.get(export));
    if let Some((wanted, found)) = kinds {
        let pair = Pair { types, importer: importer.name, import, exporter: exporter.name, export };
        pair.compare(*wanted, *found)?;
    }
    Ok(export)
}

/// The two sides of a link.
struct Pair<'a> {
    types: &'a Types,
    importer: &'a ComponentName,
    import: &'a str,
    exporter: &'a ComponentName,
    export: &'a str,
}

impl Pair<'_> {
    fn compare(&self, wanted: ItemKind, found: ItemKind) -> Result<(), ProblemKind> {
        let (ItemKind::Instance(wanted_id), ItemKind::Instance(found_id)) = (wanted, found) else {
            return match self.difference(wanted, found) {
                None => Ok(()),
                Some(difference) => Err(self.differs((self.import, wanted, found), (None, None), difference)),
            };
        };
        self.own_handles(wanted_id)?;
        let found_exports = &self.types[found_id].exports;
        // Functions first: they are what people think of.
        let mut items: Vec<(&String, &ItemKind)> = self.types[wanted_id].exports.iter().collect();
        items.sort_by_key(|(_, kind)| !matches!(kind, ItemKind::Func(_)));
        for (name, wanted) in items {
            let Some(found) = found_exports.get(name) else {
                return Err(ProblemKind::Lacks {
                    importer: self.importer.clone(),
                    import: self.import.to_owned(),
                    exporter: self.exporter.clone(),
                    export: self.export.to_owned(),
                    item: item(name, *wanted),
                });
            };
            if let Some(difference) = self.difference(*wanted, *found) {
                return Err(self.differs((name, *wanted, *found), (Some(wanted_id), Some(found_id)), difference));
            }
        }
        Ok(())
    }

    fn difference(&self, wanted: ItemKind, found: ItemKind) -> Option<String> {
        let mut cache = HashSet::new();
        let compared = SubtypeChecker::new(&mut cache).is_subtype(found, self.types, wanted, self.types);
        compared.err().map(|error| short(&format!("{error:#}")))
    }

    fn differs(
        &self,
        (name, wanted, found): (&str, ItemKind, ItemKind),
        (wanted_in, found_in): (Option<InterfaceId>, Option<InterfaceId>),
        difference: String,
    ) -> ProblemKind {
        let written = |kind: ItemKind, interface: Option<InterfaceId>| match (kind, interface) {
            (ItemKind::Func(id), Some(interface)) => format!("`{}`", Writer::new(self.types, interface).func(id)),
            (kind, _) => format!("a {}", kind.desc(self.types)),
        };
        ProblemKind::Differs {
            importer: self.importer.clone(),
            import: self.import.to_owned(),
            exporter: self.exporter.clone(),
            export: self.export.to_owned(),
            item: item(name, wanted),
            wanted: written(wanted, wanted_in),
            found: written(found, found_in),
            difference,
        }
    }

    /// Types that come from an interface which every member has for itself are not the same on both sides.
    fn own_handles(&self, interface: InterfaceId) -> Result<(), ProblemKind> {
        let interface = &self.types[interface];
        for (name, used) in &interface.uses {
            let is_resource = matches!(interface.exports.get(name), Some(ItemKind::Type(Type::Resource(_))));
            let owner = self.types[used.interface].id.as_deref().and_then(MemberImport::parse);
            if let (true, Some(owner)) = (is_resource, owner) {
                return Err(ProblemKind::OwnHandle {
                    interface: self.import.to_owned(),
                    handle: name.clone(),
                    owner: owner.interface_name(),
                });
            }
        }
        Ok(())
    }
}

/// What a thing is, with its name.
fn item(name: &str, kind: ItemKind) -> String {
    match kind {
        ItemKind::Func(_) => format!("the function `{name}`"),
        ItemKind::Type(_) => format!("the type `{name}`"),
        _ => format!("`{name}`"),
    }
}

/// The library's words, without what is said already.
pub(crate) fn short(difference: &str) -> String {
    difference.replace("mismatched type for function ", "").replace("mismatched type for ", "")
}

fn answer<'a>(import: &str, exports: impl Iterator<Item = &'a str> + Clone) -> Answer<'a> {
    if let Some(exact) = exports.clone().find(|export| *export == import) {
        return Answer::Export(exact);
    }
    let same = exports.filter(|export| unversioned(export) == unversioned(import));
    // The latest of those that go with it.
    let fitting = same.clone().filter(|export| track(export).is_some() && track(export) == track(import));
    if let Some(export) = fitting.max_by_key(|export| version(export).map(numbers)) {
        return Answer::Export(export);
    }
    same.last().map_or(Answer::Nothing, Answer::Version)
}

fn unversioned(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn version(name: &str) -> Option<&str> {
    name.split_once('@').map(|(_, version)| version)
}

/// What a version shares with all that go with it: `0.2` of `0.2.6`, `1` of `1.4.0`. None for one that only goes with
/// itself.
fn track(name: &str) -> Option<&str> {
    let version = version(name)?;
    let mut parts = version.split('.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || ![major, minor, patch].into_iter().all(is_plain) {
        return None;
    }
    match (major, minor) {
        ("0", "0") => None,
        ("0", minor) => version.get(..major.len() + 1 + minor.len()),
        (major, _) => Some(major),
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(unversioned(name), unversioned(known));
    let closest = known.map(|known| (distance(known), known)).min_by_key(|(distance, _)| *distance)?;
    Some(closest).filter(|(distance, _)| *distance <= TYPOS_MAX).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_together_on_one_track() {
        let check = |import: &str, exports: &[&'static str], expect| {
            assert_eq!(answer(import, exports.iter().copied()), expect, "{import} {exports:?}");
        };
        check("a:b/c", &["a:b/c"], Answer::Export("a:b/c"));
        check("a:b/c@0.2.3", &["a:b/c@0.2.12", "a:b/c@0.2.9"], Answer::Export("a:b/c@0.2.12"));
        check("a:b/c@0.2.3", &["a:b/c@0.2.12", "a:b/c@0.2.3"], Answer::Export("a:b/c@0.2.3"));
        check("a:b/c@1.2.0", &["a:b/c@1.0.0"], Answer::Export("a:b/c@1.0.0"));
        check("a:b/c@0.2.3", &["a:b/c@0.3.0"], Answer::Version("a:b/c@0.3.0"));
        check("a:b/c@0.0.1", &["a:b/c@0.0.2"], Answer::Version("a:b/c@0.0.2"));
        check("a:b/c@0.2.0", &["a:b/c"], Answer::Version("a:b/c"));
        check("a:b/c@0.2.0-rc", &["a:b/c@0.2.0"], Answer::Version("a:b/c@0.2.0"));
        check("a:b/c", &["a:b/d"], Answer::Nothing);
    }

    #[test]
    fn a_link_names_an_import_with_or_without_its_version() {
        let auth = ComponentName::parse("auth").unwrap();
        let link: BTreeMap<String, ComponentName> = [("a:b/c".to_owned(), auth)].into();
        assert!(link_of(&link, "a:b/c@0.2.0").is_some());
        assert!(link_of(&link, "a:b/c").is_some());
        assert!(link_of(&link, "a:b/d").is_none());
    }
}
