//! What `cargo metadata` says about a workspace.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::{environment, process};

/// A workspace and everything that it depends on, on every platform.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    workspace_members: Vec<String>,
}

/// A crate in the graph.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Absent for a crate that lies on this disk.
    pub(crate) source: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A line of a package's dependency tables.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or absent for a normal one.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Reads the workspace whose manifest lies in `folder`; on a build machine the lock file must be whole.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut command = process::cargo(folder, &["metadata", "--format-version", "1", "--quiet"]);
        if environment::is_ci() {
            command.arg("--locked");
        }
        Self::parse(&process::output(&mut command)?)
    }

    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).context("cannot read what `cargo metadata` printed")
    }

    /// The workspace's own crates.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}

impl Package {
    pub(crate) fn normal_dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|dependency| dependency.kind.is_none())
    }
}
