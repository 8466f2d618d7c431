//! Which files belong to an app, and what a change of one of them means.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::{Build, Manifest, Source};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use notify::RecursiveMode;
use thiserror::Error;

use super::Change;

/// Folders in which builds keep what they made; looked into only when a pattern names them.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", "build", "__pycache__"];

/// Files whose content is remembered; beyond it all are looked at anew.
const KNOWN_MAX: usize = 10_000;

/// A manifest's place on the disk.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The folder that its paths start from.
    pub base_dir: &'a Path,
    /// Its file; none for a bare component.
    pub file: Option<&'a Path>,
}

/// Why a manifest cannot be watched.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A pattern of `build.watch` is wrong.
    #[error("`{pattern}` in build.watch of `{component}` is not a pattern")]
    Pattern {
        /// The component.
        component: ComponentName,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A folder is not there.
    #[error("cannot find the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The files of an app.
#[derive(Debug)]
pub struct Plan {
    manifest: Option<PathBuf>,
    sources: BTreeMap<PathBuf, BTreeSet<ComponentName>>,
    builds: Vec<Sources>,
    known: BTreeMap<PathBuf, u64>,
}

/// The files that one component is built from.
#[derive(Debug)]
struct Sources {
    component: ComponentName,
    /// Absolute, without links.
    dir: PathBuf,
    patterns: Vec<String>,
    set: GlobSet,
}

impl Plan {
    /// The files of `manifest`: itself, each component's file, and what each `build.watch` names.
    ///
    /// # Errors
    /// When a pattern is wrong or a folder is not there.
    pub fn new(manifest: &Manifest, place: Place<'_>) -> Result<Self, PlanError> {
        let base = absolute(place.base_dir)?;
        let name = place.file.and_then(Path::file_name);
        let mut plan = Self {
            manifest: name.map(|name| base.join(name)),
            sources: BTreeMap::new(),
            builds: Vec::new(),
            known: BTreeMap::new(),
        };
        for (name, component) in &manifest.components {
            if let Source::File(path) = &component.source {
                plan.sources.entry(resolved(&base.join(path))).or_default().insert(name.clone());
            }
            if let Some(build) = &component.build {
                plan.builds.push(Sources::new(name, build, &base)?);
            }
        }
        plan.known.extend(plan.manifest.iter().map(|path| (path.clone(), fingerprint(path))));
        plan.acknowledge();
        Ok(plan)
    }

    /// The folders to watch.
    pub(super) fn folders(&self) -> BTreeMap<PathBuf, RecursiveMode> {
        let mut folders = BTreeMap::new();
        for file in self.manifest.iter().chain(self.sources.keys()) {
            // Editors and compilers replace files: only the folder sees that.
            if let Some(folder) = file.parent().filter(|folder| folder.is_dir()) {
                folders.entry(folder.to_owned()).or_insert(RecursiveMode::NonRecursive);
            }
        }
        for build in &self.builds {
            build.add_folders(&mut folders);
        }
        folders
    }

    /// Takes the components' files as they are now for known, in folders that may not have been there before.
    pub(super) fn acknowledge(&mut self) {
        for (path, names) in std::mem::take(&mut self.sources) {
            let path = resolved(&path);
            self.known.insert(path.clone(), fingerprint(&path));
            self.sources.entry(path).or_default().extend(names);
        }
    }

    /// What to do again now that something may have happened to `paths`.
    pub(super) fn change(&mut self, paths: &BTreeSet<PathBuf>) -> Change {
        let mut change = Change::default();
        for path in paths {
            let is_manifest = self.manifest.as_ref() == Some(path);
            let loads = self.sources.get(path);
            let builds = self.builds.iter().filter(|build| build.contains(path) && loads.is_none() && !is_manifest);
            let builds: BTreeSet<ComponentName> = builds.map(|build| build.component.clone()).collect();
            let loads = loads.cloned().unwrap_or_default();
            if (is_manifest || !loads.is_empty() || !builds.is_empty()) && is_new(&mut self.known, path) {
                change.manifest |= is_manifest;
                change.load.extend(loads);
                change.build.extend(builds);
            }
        }
        change
    }

    /// The change that covers every other.
    pub(super) fn everything(&self) -> Change {
        Change {
            manifest: self.manifest.is_some(),
            build: self.builds.iter().map(|build| build.component.clone()).collect(),
            load: self.sources.values().flatten().cloned().collect(),
        }
    }
}

impl Sources {
    fn new(component: &ComponentName, build: &Build, base: &Path) -> Result<Self, PlanError> {
        let mut set = GlobSetBuilder::new();
        for pattern in &build.watch {
            let text = pattern.strip_prefix("./").unwrap_or(pattern);
            let wrong = |source| PlanError::Pattern { component: component.clone(), pattern: pattern.clone(), source };
            set.add(GlobBuilder::new(text).literal_separator(true).build().map_err(wrong)?);
        }
        let wrong =
            |source| PlanError::Pattern { component: component.clone(), pattern: build.watch.join(", "), source };
        let dir = absolute(&base.join(&build.dir))?;
        Ok(Self { component: component.clone(), dir, patterns: build.watch.clone(), set: set.build().map_err(wrong)? })
    }

    fn contains(&self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.dir) else { return false };
        if self.patterns.is_empty() {
            return relative.iter().all(|part| part.to_str().is_some_and(|part| !is_skipped(part)));
        }
        self.set.is_match(relative)
    }

    fn add_folders(&self, folders: &mut BTreeMap<PathBuf, RecursiveMode>) {
        if self.patterns.is_empty() {
            folders.entry(self.dir.clone()).or_insert(RecursiveMode::NonRecursive);
            // One by one, so that the thousands of folders of a build's output are not watched.
            let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
            let wanted = entries.filter(|entry| {
                entry.path().is_dir() && entry.file_name().to_str().is_some_and(|name| !is_skipped(name))
            });
            folders.extend(wanted.map(|entry| (entry.path(), RecursiveMode::Recursive)));
        }
        for pattern in &self.patterns {
            let (prefix, mode) = literal_prefix(pattern);
            let folder = nearest_folder(&self.dir, &prefix);
            let entry = folders.entry(folder).or_insert(RecursiveMode::NonRecursive);
            if mode == RecursiveMode::Recursive {
                *entry = mode;
            }
        }
    }
}

/// The folder that every match of `pattern` lies in, and whether matches lie in folders below it, too.
fn literal_prefix(pattern: &str) -> (PathBuf, RecursiveMode) {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let parts: Vec<&str> = pattern.split('/').collect();
    let is_wild = |part: &&str| part.contains(['*', '?', '[', '{']);
    let literal = parts.iter().position(is_wild).unwrap_or(parts.len()).min(parts.len().saturating_sub(1));
    let mode = if literal + 1 < parts.len() { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
    (parts.into_iter().take(literal).collect(), mode)
}

/// `dir/prefix`, or the innermost folder above it that is there.
fn nearest_folder(dir: &Path, prefix: &Path) -> PathBuf {
    let full = dir.join(prefix);
    full.ancestors().find(|folder| folder.is_dir()).unwrap_or(dir).to_owned()
}

fn is_skipped(part: &str) -> bool {
    part.starts_with('.') || SKIPPED.contains(&part)
}

fn absolute(path: &Path) -> Result<PathBuf, PlanError> {
    path.canonicalize().map_err(|source| PlanError::Folder { path: path.to_owned(), source })
}

/// The file's path as notices write it, when its folder is there.
fn resolved(file: &Path) -> PathBuf {
    match (file.parent().and_then(|folder| folder.canonicalize().ok()), file.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    }
}

/// Whether the content of `path` is another one than when it was last asked for, and remembers it.
fn is_new(known: &mut BTreeMap<PathBuf, u64>, path: &Path) -> bool {
    let now = fingerprint(path);
    if known.len() >= KNOWN_MAX {
        known.clear();
    }
    known.insert(path.to_owned(), now) != Some(now)
}

/// A number that differs when the content does; 0 for what is not there.
fn fingerprint(path: &Path) -> u64 {
    let Ok(content) = std::fs::read(path) else { return 0 };
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests;
