//! What the rules look at: every file of the project, and the dependency graphs.

use std::path::PathBuf;
use std::process::Command;

use crate::metadata::Metadata;
use crate::process;
use crate::repository::Repository;

/// The project as it lies on the disk: tracked files, and new ones that git does not ignore.
#[derive(Debug)]
pub(super) struct Checkout {
    pub(super) root: PathBuf,
    pub(super) files: Vec<File>,
    /// The main workspace first, then those of guests.
    pub(super) workspaces: Vec<Workspace>,
}

/// A file by its path from the root, with `/` between its parts.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    /// Empty for what is not text.
    pub(super) text: String,
}

/// A cargo workspace by its path from the root; empty for the main one.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) folder: String,
    pub(super) metadata: Metadata,
}

impl Checkout {
    pub(super) fn read(repository: &Repository) -> anyhow::Result<Self> {
        let root = repository.root();
        let mut git = Command::new("git");
        git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = process::output(&mut git)?;
        let mut paths: Vec<&str> = listing.split('\0').filter(|path| root.join(path).is_file()).collect();
        paths.sort_unstable();
        paths.dedup();
        let files = paths.into_iter().map(|path| File {
            text: std::fs::read_to_string(root.join(path)).unwrap_or_default(),
            path: path.to_owned(),
        });
        let mut workspaces = vec![Workspace { folder: String::new(), metadata: Metadata::read(root)? }];
        for folder in repository.guest_workspaces() {
            let metadata = Metadata::read(&root.join(folder))?;
            workspaces.push(Workspace { folder: folder.to_owned(), metadata });
        }
        Ok(Self { root: root.to_path_buf(), files: files.collect(), workspaces })
    }

    /// The main workspace's graph.
    pub(super) fn main(&self) -> Option<&Metadata> {
        self.workspaces.first().map(|workspace| &workspace.metadata)
    }

    /// The Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }
}

impl File {
    /// The file's name.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the file lies in a workspace of guests.
    pub(super) fn is_guest(&self) -> bool {
        self.path.starts_with("examples/") || self.path.starts_with("tests/guests/")
    }

    /// `path:line` of the text's line with this index.
    pub(super) fn line(&self, index: usize) -> String {
        format!("{}:{}", self.path, index + 1)
    }
}

#[cfg(test)]
impl Checkout {
    /// A checkout of these paths and texts.
    pub(super) fn of_files(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() });
        Self { root: PathBuf::from("/repository"), files: files.collect(), workspaces: Vec::new() }
    }

    /// A checkout with one workspace. A line describes a package: its name, its licence or `-`, its
    /// source or `-` for a member, then its dependencies, `dev:` before the name of one for tests.
    pub(super) fn of_packages(lines: &str) -> Self {
        let packages: Vec<serde_json::Value> =
            lines.lines().filter(|line| !line.trim().is_empty()).map(package).collect();
        let members: Vec<&serde_json::Value> =
            packages.iter().filter(|package| package["source"].is_null()).map(|package| &package["id"]).collect();
        let json = serde_json::json!({ "packages": packages, "workspace_members": members }).to_string();
        let metadata = Metadata::parse(&json).unwrap();
        let mut checkout = Self::of_files(&[]);
        checkout.workspaces.push(Workspace { folder: String::new(), metadata });
        checkout
    }
}

#[cfg(test)]
fn package(line: &str) -> serde_json::Value {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let optional = |text: &str| (text != "-").then(|| text.to_owned());
    let (name, version) = fields[0].split_once('@').unwrap_or((fields[0], "1.0.0"));
    let dependencies: Vec<serde_json::Value> = fields
        .get(3)
        .map_or("", |text| text)
        .split_whitespace()
        .map(|word| match word.strip_prefix("dev:") {
            Some(name) => serde_json::json!({ "name": name, "kind": "dev" }),
            None => serde_json::json!({ "name": word, "kind": null }),
        })
        .collect();
    serde_json::json!({
        "id": format!("{name}@{version}"),
        "name": name,
        "version": version,
        "license": optional(fields[1]),
        "source": optional(fields[2]),
        "manifest_path": format!("/repository/crates/{name}/Cargo.toml"),
        "dependencies": dependencies,
    })
}
