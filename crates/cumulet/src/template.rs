//! The projects that `cumulet new` makes. Their files are part of the binary.

use std::path::Path;

use cumulet_spec::id::ComponentName;

/// Names that the compiler or the template's own dependencies already use.
const PACKAGES_TAKEN: &[&str] = &["alloc", "core", "proc-macro", "self", "std", "super", "test", "wstd"];

/// A project to start from.
#[derive(Debug)]
pub(crate) struct Template {
    /// What follows `--template`.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    /// What to type in the new folder.
    pub(crate) start: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// Every template, in the order in which they are listed.
pub(crate) const TEMPLATES: &[Template] = &[
    Template {
        name: "rust-http",
        about: "an HTTP component in Rust (WASI 0.2)",
        start: "cumulet up",
        files: &[
            (".gitignore", include_str!("../templates/rust-http/gitignore.in")),
            ("Cargo.toml", include_str!("../templates/rust-http/Cargo.toml.in")),
            ("README.md", include_str!("../templates/rust-http/README.md.in")),
            ("cumulet.toml", include_str!("../templates/rust-http/cumulet.toml.in")),
            ("src/lib.rs", include_str!("../templates/rust-http/src/lib.rs.in")),
        ],
    },
    Template {
        name: "rust-command",
        about: "a command component in Rust (WASI 0.2)",
        start: "cumulet build && cumulet run .",
        files: &[
            (".gitignore", include_str!("../templates/rust-command/gitignore.in")),
            ("Cargo.toml", include_str!("../templates/rust-command/Cargo.toml.in")),
            ("README.md", include_str!("../templates/rust-command/README.md.in")),
            ("cumulet.toml", include_str!("../templates/rust-command/cumulet.toml.in")),
            ("src/main.rs", include_str!("../templates/rust-command/src/main.rs.in")),
        ],
    },
];

impl Template {
    /// The template of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.name == name)
    }

    /// Writes the project `name` into `folder`, which is made, and returns the files' paths in it.
    ///
    /// # Errors
    /// When a folder or file cannot be written.
    pub(crate) fn write(&self, name: &ComponentName, folder: &Path) -> std::io::Result<Vec<&'static str>> {
        let package = package(name.as_str());
        let artifact = package.replace('-', "_");
        for (path, content) in self.files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let content = content
                .replace("{{name}}", name.as_str())
                .replace("{{package}}", &package)
                .replace("{{artifact}}", &artifact);
            std::fs::write(path, content)?;
        }
        Ok(self.files.iter().map(|(path, _)| *path).collect())
    }
}

/// A name that cargo takes for a package: not a digit or a hyphen first, and nobody else's.
fn package(name: &str) -> String {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_well && !PACKAGES_TAKEN.contains(&name) { name.to_owned() } else { format!("app-{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_names_that_cargo_takes() {
        for (name, expect) in [("shop", "shop"), ("my-shop", "my-shop"), ("9lives", "app-9lives"), ("core", "app-core")]
        {
            assert_eq!(package(name), expect);
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for template in TEMPLATES {
            let folder = tempfile::tempdir().unwrap();
            let name = ComponentName::parse("my-app").unwrap();
            for file in template.write(&name, folder.path()).unwrap() {
                let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
                // `{{` alone may be the template's own code.
                assert!(!["{{name}}", "{{package}}", "{{artifact}}"].iter().any(|hole| text.contains(hole)), "{file}");
            }
            let manifest = std::fs::read_to_string(folder.path().join("cumulet.toml")).unwrap();
            cumulet_spec::manifest::Manifest::parse(&manifest).unwrap();
        }
    }
}
