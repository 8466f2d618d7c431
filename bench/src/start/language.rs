//! The languages, and a component of each: an example, or what comes of a template.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cumulet_servers::Toolchain;

use crate::settings::Settings;

/// What is taken out of the templates: the store, which not every program that serves components offers. A file, and what
/// stands in it.
const STORE: [(&str, &str); 4] = [
    ("wit/world.wit", "    import wasi:keyvalue/store@0.2.0-draft2;\n    import wasi:keyvalue/atomics@0.2.0-draft2;\n"),
    ("serve/serve.go", "\t\tanswer = count()\n"),
    (
        "src/app.js",
        "import { increment } from \"wasi:keyvalue/atomics@0.2.0-draft2\";\nimport { open } from \"wasi:keyvalue/store@0.2.0-draft2\";\n",
    ),
    ("src/app.py", "from wit_world.imports import atomics, store\n"),
];

/// A language under test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Language {
    /// Its name in tables.
    name: &'static str,
    made: Made,
    is_p3: bool,
}

/// Where its component comes from.
#[derive(Debug, Clone, Copy)]
enum Made {
    Example(&'static str),
    Template(&'static str),
}

/// A language with its component.
#[derive(Debug, Clone)]
pub(super) struct Built {
    /// The language's name in tables.
    pub(super) name: &'static str,
    /// The component.
    pub(super) component: PathBuf,
    /// What it answers to `/`.
    pub(super) expect: Vec<u8>,
    /// Whether it is made for WASI 0.3.
    pub(super) is_p3: bool,
    /// The folder of the project, where it comes from a template: then `POST /sum` waits for a body.
    pub(super) project: Option<PathBuf>,
}

impl Language {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self { name: "Rust 0.2", made: Made::Example("hello"), is_p3: false },
        Self { name: "Rust 0.3", made: Made::Example("hello_p3"), is_p3: true },
        Self { name: "Go 0.2", made: Made::Template("go-http"), is_p3: false },
        Self { name: "JavaScript 0.2", made: Made::Template("js-http"), is_p3: false },
        Self { name: "Python 0.2", made: Made::Template("python-http"), is_p3: false },
    ];

    /// Finds or builds its component; says why it is left out where it cannot.
    pub(super) fn build(self, settings: &Settings, program: &Path) -> Result<Built, String> {
        let Self { name, made, is_p3 } = self;
        match made {
            Made::Example(example) => {
                let component = settings.component(example)?;
                Ok(Built { name, component, expect: b"Hello, world!\n".to_vec(), is_p3, project: None })
            }
            Made::Template(template) => {
                if settings.quick && cfg!(debug_assertions) && !settings.names_cumulet() {
                    return Err(format!("{name}: a compiler without optimisation takes minutes for it"));
                }
                let root = Settings::root();
                let toolchain = Toolchain::find(&root, template);
                let toolchain = toolchain.ok_or_else(|| format!("{name}: cargo xtask setup unpacks its tools"))?;
                let project = project(program, template, &toolchain).map_err(|error| format!("{name}: {error:#}"))?;
                let component = project.join("build/app.wasm");
                let expect = format!("Hello from {template}\n").into_bytes();
                Ok(Built { name, component, expect, is_p3, project: Some(project) })
            }
        }
    }
}

/// A project of a template, built once: who wants it built again removes its folder.
fn project(program: &Path, template: &str, toolchain: &Toolchain) -> Result<PathBuf> {
    let projects = Settings::out()?.join("templates");
    let folder = projects.join(template);
    if folder.join("build/app.wasm").is_file() {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove what was built by half")?;
    }
    fs::create_dir_all(&projects).context("cannot make a folder for projects")?;
    run(Command::new(program).current_dir(&projects).args(["new", template, "--template", template]))?;
    for (file, text) in STORE {
        let path = folder.join(file);
        if path.is_file() {
            let whole = fs::read_to_string(&path)?;
            ensure!(whole.contains(text), "{file} of {template} does not use its store as it did");
            fs::write(&path, whole.replace(text, ""))?;
        }
    }
    for (path, shelf) in toolchain.shelves() {
        fs::create_dir_all(&shelf)?;
        symlink(shelf.canonicalize()?, folder.join(path))?;
    }
    let environment = toolchain.environment().iter().cloned();
    run(Command::new(program).current_dir(&folder).arg("build").envs(environment))?;
    Ok(folder)
}

fn run(command: &mut Command) -> Result<()> {
    let ended = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{}", said.lines().last().unwrap_or("it failed without a word"));
    Ok(())
}
