//! The tools that projects of the templates are built with, as `cargo xtask setup` unpacked them.

use std::path::{Path, PathBuf};

use crate::{find, note};

/// Where they were unpacked, below the root of the repository.
const UNPACKED: &str = "target/templates";
/// What npm writes when it is done.
const NPM_DONE: &str = "node_modules/.package-lock.json";

/// What one template needs.
#[derive(Debug)]
pub struct Toolchain {
    environment: Vec<(String, String)>,
    shelves: Vec<(&'static str, PathBuf)>,
}

impl Toolchain {
    /// Finds the tools of a template; `None` where something is missing.
    #[must_use]
    pub fn find(repository: &Path, template: &str) -> Option<Self> {
        let unpacked = repository.join(UNPACKED);
        let shelved =
            |folder: &'static str, shelf: PathBuf| Self { environment: Vec::new(), shelves: vec![(folder, shelf)] };
        match template.split('-').next()? {
            "rust" => Some(shelved("target", unpacked.join("rust"))),
            "js" | "ts" => {
                find("npm").and(find("node"))?;
                let folder = unpacked.join("node");
                folder.join(NPM_DONE).is_file().then(|| shelved("node_modules", folder.join("node_modules")))
            }
            "python" => Self::from_pip(&unpacked, "bin/componentize-py"),
            "c" => {
                let mut found = Self::from_pip(&unpacked, "ziglang/zig")?;
                found.environment.push(cache("ZIG_GLOBAL_CACHE_DIR", &unpacked.join("zig"))?);
                Some(found)
            }
            "go" => Self::go(&unpacked),
            _ => None,
        }
    }

    /// These tools and those of another language together.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        for (name, value) in other.environment {
            match self.environment.iter_mut().find(|(known, _)| *known == name) {
                // Of the variables that two languages need, each is a list of folders.
                Some((_, list)) => *list = format!("{list}:{value}"),
                None => self.environment.push((name, value)),
            }
        }
        self.shelves.extend(other.shelves);
        self
    }

    /// Notes that something was left out because they are not there.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn left_out(what: &str) -> anyhow::Result<()> {
        note(what, "not all of its tools", "cargo xtask setup")
    }

    /// What is to be set when they run.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// What a project finds in a folder of its own, and projects of tests share: the folder's name, and where it lies.
    #[must_use]
    pub fn shelves(&self) -> Vec<(&'static str, PathBuf)> {
        self.shelves.clone()
    }

    /// Programs that pip unpacked beside the modules that they need; `program` is one of them.
    fn from_pip(unpacked: &Path, program: &str) -> Option<Self> {
        let packages = unpacked.join("python").canonicalize().ok()?;
        packages.join(program).is_file().then_some(())?;
        find("python3")?;
        let modules = ("PYTHONPATH".to_owned(), packages.display().to_string());
        Some(Self { environment: vec![path_with(&packages.join("bin")), modules], shelves: Vec::new() })
    }

    /// What pip unpacked, which is only where the search path had none; else that of the search path.
    fn go(unpacked: &Path) -> Option<Self> {
        let mut environment = vec![cache("GOCACHE", &unpacked.join("go-build"))?];
        let programs = unpacked.join("go/go/bin");
        if programs.join("go").is_file() {
            environment.push(path_with(&programs.canonicalize().ok()?));
        } else {
            find("go")?;
        }
        // A Go that is too old would fetch a newer one by itself.
        environment.push(("GOTOOLCHAIN".to_owned(), "local".to_owned()));
        Some(Self { environment, shelves: Vec::new() })
    }
}

/// The search path with `programs` in front.
fn path_with(programs: &Path) -> (String, String) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    ("PATH".to_owned(), format!("{}:{}", programs.display(), path.display()))
}

/// A folder that a tool keeps things in, under the variable that it asks for it.
fn cache(variable: &str, folder: &Path) -> Option<(String, String)> {
    std::fs::create_dir_all(folder).ok()?;
    Some((variable.to_owned(), folder.canonicalize().ok()?.display().to_string()))
}
