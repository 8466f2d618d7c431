//! TARGET on the command line: a folder with a manifest, a manifest, or a bare component.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cumulet_node::fetch::FetchedFiles;
use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::{Component, MANIFEST_FILE, Manifest, Problem, Source};

use crate::exit::Exit;
use crate::failure::{Failure, Report};

/// A manifest with the place that it came from.
#[derive(Debug)]
pub(crate) struct Target {
    /// What is to be served, run, built or checked.
    pub(crate) manifest: Manifest,
    /// The folder that paths in the manifest start from.
    pub(crate) base_dir: PathBuf,
    /// The manifest's file and text; none for a bare component.
    pub(crate) file: Option<ManifestText>,
    /// What was fetched of what the manifest names elsewhere.
    pub(crate) fetched: FetchedFiles,
}

/// A manifest as it stands on the disk.
#[derive(Debug)]
pub(crate) struct ManifestText {
    /// Where, as the person would write it.
    pub(crate) path: PathBuf,
    /// What.
    pub(crate) text: String,
}

impl Target {
    /// Finds and reads the manifest of `path`, or makes the one of a bare component.
    ///
    /// # Errors
    /// When nothing is there, it is of no known kind, or the manifest has problems.
    pub(crate) fn resolve(path: &Path) -> Result<Self, Box<Failure>> {
        let metadata = std::fs::metadata(path).map_err(|error| {
            let failure = Failure::new(Exit::USAGE, "there is no such target").at(path).because(&error);
            failure.next("name a folder with cumulet.toml, that file, or a .wasm or .wat file")
        })?;
        if metadata.is_dir() {
            return Self::read(path.join(MANIFEST_FILE));
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::read(path.to_owned()),
            Some("wasm" | "wat") => Ok(Self::bare(path)),
            _ => Err(Failure::new(Exit::USAGE, "this file is neither a manifest nor a component")
                .at(path)
                .next("name a folder with cumulet.toml, that file, or a .wasm or .wat file")),
        }
    }

    fn bare(path: &Path) -> Self {
        let name = path.file_name().map_or_else(|| path.to_owned(), PathBuf::from);
        Self { manifest: Manifest::single(&name), base_dir: parent(path), file: None, fetched: FetchedFiles::new() }
    }

    fn read(path: PathBuf) -> Result<Self, Box<Failure>> {
        // `./cumulet.toml` and `cumulet.toml` are the same place; people know the short one.
        let path = path.strip_prefix(".").map_or_else(|_| path.clone(), Path::to_owned);
        let text = std::fs::read_to_string(&path).map_err(|error| unread(&path, &error))?;
        let manifest = Manifest::parse(&text).map_err(|error| invalid(&path, &text, error.problems))?;
        let base_dir = parent(&path);
        Ok(Self { manifest, base_dir, file: Some(ManifestText { path, text }), fetched: FetchedFiles::new() })
    }

    /// The path of a component's file; none when it comes from elsewhere and was not fetched.
    pub(crate) fn source_path(&self, component: &Component) -> Option<PathBuf> {
        match &component.source {
            Source::File(path) if self.base_dir == Path::new(".") => Some(path.clone()),
            Source::File(path) => Some(self.base_dir.join(path)),
            Source::Oci { digest, .. } | Source::Url { digest, .. } => self.fetched.get(digest).cloned(),
        }
    }

    /// The components with their names and files.
    ///
    /// # Errors
    /// When one of them is elsewhere and was not fetched.
    pub(crate) fn sources(&self) -> Result<Vec<(&ComponentName, &Component, PathBuf)>, Box<Failure>> {
        self.manifest
            .components
            .iter()
            .map(|(name, component)| match self.source_path(component) {
                Some(path) => Ok((name, component, path)),
                None => Err(self.problem(
                    format!("component `{name}` is elsewhere, and was not fetched"),
                    Problem::new(component.spans.source.clone(), "it is in a registry or behind a URL")
                        .with_help("run `cumulet check`, which fetches it"),
                )),
            })
            .collect()
    }

    /// A failure that points into the manifest, where there is one.
    pub(crate) fn problem(&self, what: impl Into<String>, problem: Problem) -> Box<Failure> {
        self.problems(what, vec![problem])
    }

    /// The same for several things in the manifest.
    pub(crate) fn problems(&self, what: impl Into<String>, problems: Vec<Problem>) -> Box<Failure> {
        let failure = Failure::new(Exit::INVALID, what);
        if let Some(file) = &self.file {
            let at = problems.first().map(|problem| problem.position(&file.text));
            let report = Report::new(&file.path, &file.text, problems);
            return failure.at(&file.path).at_position(at).report(report);
        }
        problems.into_iter().fold(failure, |failure, problem| match problem.help {
            Some(help) => failure.why(problem.message).next(help),
            None => failure.why(problem.message),
        })
    }
}

/// The folder of a file; `.` for a file in the current one.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn unread(path: &Path, error: &std::io::Error) -> Box<Failure> {
    if error.kind() == ErrorKind::NotFound {
        return Failure::new(Exit::USAGE, "this folder has no manifest")
            .at(path)
            .why("a folder is served by the cumulet.toml in it")
            .next("make one with `cumulet new NAME --template rust-http`, or name a .wasm file");
    }
    let failure = Failure::new(Exit::FAILED, "cannot read the manifest").at(path).because(error);
    match error.kind() {
        ErrorKind::InvalidData => failure.next("save the file as UTF-8"),
        _ => failure.next("look at the file's permissions"),
    }
}

fn invalid(path: &Path, text: &str, problems: Vec<Problem>) -> Box<Failure> {
    let at = problems.first().map(|problem| problem.position(text));
    let what = match problems.len() {
        1 => "the manifest is invalid".to_owned(),
        many => format!("the manifest has {many} problems"),
    };
    Failure::new(Exit::INVALID, what)
        .at(path)
        .at_position(at)
        .report(Report::new(path, text, problems))
        .next("correct it and run `cumulet check`")
}
