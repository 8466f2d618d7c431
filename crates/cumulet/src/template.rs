//! The projects that `cumulet new` makes. Their files are part of the binary.

mod files;

use std::path::Path;

use cumulet_spec::id::ComponentName;

use files::{File, HANDLER_WIT, JAVASCRIPT, KEYVALUE_WIT, RUST_HTTP};

/// Names of Rust packages that the compiler or the templates' own dependencies already use.
const CRATES_TAKEN: &[&str] = &[
    "alloc",
    "core",
    "http",
    "http-body-util",
    "proc-macro",
    "self",
    "serde",
    "serde-json",
    "std",
    "super",
    "test",
    "wasip3",
    "wit-bindgen",
    "wstd",
];

/// Names of npm packages that the templates install: npm refuses them below a project of the same name.
const NPM_PACKAGES_TAKEN: &[&str] = &["esbuild", "typescript"];

/// Elements that Go takes in no module's path: its own folder, and what Windows takes for devices.
const GO_ELEMENTS_TAKEN: &[&str] = &[
    "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "con", "lpt1", "lpt2", "lpt3",
    "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn", "vendor",
];

/// A project to start from.
#[derive(Debug)]
pub(crate) struct Template {
    /// What follows `--template`.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    /// What to type in the new folder.
    pub(crate) start: &'static str,
    /// The names that its package may not have.
    taken: &'static [&'static str],
    files: &'static [&'static [File]],
}

/// Every template, in the order in which they are listed.
pub(crate) const TEMPLATES: &[Template] = &[
    Template {
        name: "rust-http",
        about: "an HTTP component in Rust (WASI 0.2)",
        start: "cumulet up",
        taken: CRATES_TAKEN,
        files: &[files::RUST_HTTP_P2, RUST_HTTP, KEYVALUE_WIT],
    },
    Template {
        name: "rust-http-p3",
        about: "an HTTP component in Rust (WASI 0.3, asynchronous)",
        start: "cumulet up",
        taken: CRATES_TAKEN,
        files: &[files::RUST_HTTP_P3, RUST_HTTP, KEYVALUE_WIT],
    },
    Template {
        name: "python-http",
        about: "an HTTP component in Python (WASI 0.2)",
        start: "cumulet up",
        taken: &[],
        files: &[files::PYTHON_HTTP, HANDLER_WIT],
    },
    Template {
        name: "js-http",
        about: "an HTTP component in JavaScript (WASI 0.2)",
        start: "cumulet up",
        taken: NPM_PACKAGES_TAKEN,
        files: &[files::JS_HTTP, JAVASCRIPT, HANDLER_WIT],
    },
    Template {
        name: "ts-http",
        about: "an HTTP component in TypeScript (WASI 0.2)",
        start: "cumulet up",
        taken: NPM_PACKAGES_TAKEN,
        files: &[files::TS_HTTP, JAVASCRIPT, HANDLER_WIT],
    },
    Template {
        name: "go-http",
        about: "an HTTP component in Go (WASI 0.2)",
        start: "cumulet up",
        taken: GO_ELEMENTS_TAKEN,
        files: &[files::GO_HTTP, files::GO_BINDINGS, HANDLER_WIT],
    },
    Template {
        name: "c-http",
        about: "an HTTP component in C (WASI 0.2)",
        start: "cumulet up",
        taken: &[],
        files: &[files::C_HTTP, HANDLER_WIT],
    },
    Template {
        name: "rust-command",
        about: "a command component in Rust (WASI 0.2)",
        start: "cumulet build && cumulet run .",
        taken: CRATES_TAKEN,
        files: &[files::RUST_COMMAND],
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
        let package = package(name.as_str(), self.taken);
        let artifact = package.replace('-', "_");
        let mut written = Vec::new();
        for (path, content) in self.files.iter().copied().flatten() {
            let file = folder.join(path);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let content = content
                .replace("{{name}}", name.as_str())
                .replace("{{package}}", &package)
                .replace("{{artifact}}", &artifact);
            std::fs::write(file, content)?;
            written.push(*path);
        }
        Ok(written)
    }
}

/// A name that cargo, npm and Go take for a package: not a digit or a hyphen first, and nobody else's.
fn package(name: &str, taken: &[&str]) -> String {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_well && !taken.contains(&name) { name.to_owned() } else { format!("app-{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_names_that_their_tools_take() {
        let check = |name: &str, taken: &[&str], expect: &str| assert_eq!(package(name, taken), expect);
        check("shop", CRATES_TAKEN, "shop");
        check("my-shop", CRATES_TAKEN, "my-shop");
        check("9lives", CRATES_TAKEN, "app-9lives");
        check("core", CRATES_TAKEN, "app-core");
        check("core", NPM_PACKAGES_TAKEN, "core");
        check("esbuild", NPM_PACKAGES_TAKEN, "app-esbuild");
        check("vendor", GO_ELEMENTS_TAKEN, "app-vendor");
        check("-x", &[], "app--x");
    }

    /// One folder of packages is enough to try both.
    #[test]
    fn what_javascript_installs_typescript_installs_too() {
        let named =
            |text: &'static str| text.lines().filter(|line| line.starts_with("    \"@") || line.contains("esbuild\":"));
        let typescript: Vec<&str> = named(include_str!("../templates/ts-http/package.json.in")).collect();
        let mut javascript = named(include_str!("../templates/js-http/package.json.in"));
        assert!(
            javascript.all(|line| typescript.iter().any(|other| other.trim_matches(',') == line.trim_matches(',')))
        );
    }

    #[test]
    fn bindings_are_of_the_generator_that_the_readme_names() {
        let check = |readme: &str, written: &str| {
            let (_, rest) = written.split_once("// Generated by `wit-bindgen` ").unwrap();
            let (version, _) = rest.split_once(". DO NOT EDIT!").unwrap();
            assert!(readme.contains(&format!("wit-bindgen-cli@{version} ")), "{version}");
        };
        check(
            include_str!("../templates/go-http/README.md.in"),
            include_str!("../templates/go-http/bindings/exports/wit_exports/wit_exports.go.in"),
        );
        check(include_str!("../templates/c-http/README.md.in"), include_str!("../templates/c-http/bindings/app.h.in"));
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
