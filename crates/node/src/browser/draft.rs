//! A page that is made aside, and put in its place once it is whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cumulet_engine::inspect::InspectError;
use cumulet_spec::id::ComponentName;
use tempfile::TempDir;
use thiserror::Error;

use super::files::{COMPONENT, FILES, SETTINGS, is_ours};
use super::{PageFile, Settings};
use crate::build::{self, BuildError};

/// The command that makes JavaScript and core modules of a component, run where the component lies. It names no path
/// of anybody's.
pub const TRANSPILE: &str = "jco transpile component.wasm --quiet --minify --instantiation async --no-wasi-shim \
                             --no-nodejs-compat --no-typescript --name component --out-dir transpiled";

/// Where that command puts what it makes.
const TRANSPILED: &str = "transpiled";

/// Where the page is gathered, beside it.
const GATHERED: &str = "page";

/// The largest page, in bytes.
pub const PAGE_BYTES_MAX: u64 = 512 << 20;

/// A page cannot be made.
#[derive(Debug, Error)]
pub enum DraftError {
    /// The component cannot be read.
    #[error("cannot read the component {}", path.display())]
    Component {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its text is no WebAssembly.
    #[error(transparent)]
    Text(#[from] InspectError),
    /// The folder holds what is not part of a page.
    #[error("it holds `{entry}`, which is not part of a page")]
    Occupied {
        /// What stands there.
        entry: String,
    },
    /// A file or a folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was transpiled is not what a page takes.
    #[error("jco wrote no {COMPONENT}.js")]
    Untranspiled,
    /// The component is larger than a page may be.
    #[error("the page has {bytes} bytes, and may have {PAGE_BYTES_MAX}")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
}

/// A page in the making, in a folder of its own that goes with it.
#[derive(Debug)]
#[must_use]
pub struct Draft {
    aside: TempDir,
    folder: PathBuf,
}

impl Draft {
    /// Begins the page that is to stand in `folder`, which may hold an earlier one, with the component at `path`, in the
    /// binary or the text format. Blocks.
    ///
    /// # Errors
    /// When the component cannot be read, when something else stands in the folder, or when nothing can be written
    /// beside it.
    pub fn begin(path: &Path, folder: &Path) -> Result<Self, DraftError> {
        let unread = |source| DraftError::Component { path: path.to_owned(), source };
        let bytes = fs::read(path).map_err(unread)?;
        let binary = wat::parse_bytes(&bytes).map_err(|error| InspectError::Text { message: error.to_string() })?;
        if let Some(entry) = stranger(folder)? {
            return Err(DraftError::Occupied { entry });
        }
        let parent = folder.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|source| unwritten(parent, source))?;
        let aside = tempfile::Builder::new().prefix(".cumulet-browser-").tempdir_in(parent);
        let aside = aside.map_err(|source| unwritten(parent, source))?;
        let component = aside.path().join(COMPONENT).with_extension("wasm");
        fs::write(&component, &*binary).map_err(|source| unwritten(&component, source))?;
        Ok(Self { aside, folder: folder.to_owned() })
    }

    /// Runs [`TRANSPILE`], and gives every line that it writes to `show`.
    ///
    /// # Errors
    /// When it is not installed, or fails.
    ///
    /// # Cancel safety
    /// Dropping the future ends it.
    pub async fn transpile(&self, component: &ComponentName, show: impl FnMut(&str)) -> Result<(), BuildError> {
        let (tail, ended) = build::run_shown(TRANSPILE, self.aside.path(), show).await;
        ended.map_err(|kind| BuildError {
            component: component.clone(),
            command: TRANSPILE.to_owned(),
            dir: self.aside.path().to_owned(),
            kind,
            tail,
        })
    }

    /// Puts the page in its place, and the one that stood there away. Returns its files, sorted. Blocks.
    ///
    /// # Errors
    /// When nothing was transpiled, or something cannot be written.
    pub fn finish(self, settings: &Settings) -> Result<Vec<PageFile>, DraftError> {
        let page = self.aside.path().join(GATHERED);
        let mut files = gather(&self.aside.path().join(TRANSPILED), &page)?;
        let is_module = |file: &&PageFile| file.file.ends_with(".wasm");
        let modules: Vec<&str> = files.iter().filter(is_module).map(|file| file.file.as_str()).collect();
        let said = said(settings, &modules);
        for (name, text) in FILES.iter().copied().chain([(SETTINGS, said.as_str())]) {
            files.push(written(&page, name, text.as_bytes())?);
        }
        let bytes = files.iter().map(|file| file.bytes).sum();
        if bytes > PAGE_BYTES_MAX {
            return Err(DraftError::TooLarge { bytes });
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(|source| unwritten(&self.folder, source))?;
        }
        fs::rename(&page, &self.folder).map_err(|source| unwritten(&self.folder, source))?;
        files.sort_by(|one, other| one.file.cmp(&other.file));
        Ok(files)
    }
}

/// The first entry of a folder, by name, that is not part of a page.
fn stranger(folder: &Path) -> Result<Option<String>, DraftError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(|source| unwritten(folder, source))?,
    };
    let mut strange = Vec::new();
    for entry in entries {
        let name = entry.map_err(|source| unwritten(folder, source))?.file_name().to_string_lossy().into_owned();
        strange.extend((!is_ours(&name)).then_some(name));
    }
    Ok(strange.into_iter().min())
}

/// Moves what was transpiled to where the page is gathered; types for TypeScript stay behind.
fn gather(transpiled: &Path, page: &Path) -> Result<Vec<PageFile>, DraftError> {
    fs::create_dir(page).map_err(|source| unwritten(page, source))?;
    let mut files = Vec::new();
    for entry in fs::read_dir(transpiled).map_err(|_nothing| DraftError::Untranspiled)? {
        let entry = entry.map_err(|source| unwritten(transpiled, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_wanted = name.ends_with(".wasm") || (name.ends_with(".js") && is_ours(&name));
        if !is_wanted {
            continue;
        }
        let bytes = entry.metadata().map_err(|source| unwritten(&entry.path(), source))?.len();
        fs::rename(entry.path(), page.join(&name)).map_err(|source| unwritten(&page.join(&name), source))?;
        files.push(PageFile { file: name, bytes });
    }
    let script = format!("{COMPONENT}.js");
    if files.iter().any(|file| file.file == script) { Ok(files) } else { Err(DraftError::Untranspiled) }
}

/// The module that tells the page of its component. JSON is JavaScript.
fn said(settings: &Settings, modules: &[&str]) -> String {
    let mut modules = modules.to_vec();
    modules.sort_unstable();
    let mut all = serde_json::json!(settings);
    if let Some(fields) = all.as_object_mut() {
        fields.insert("modules".to_owned(), serde_json::json!(modules));
    }
    format!("// Made by `cumulet build --target browser`.\nexport const settings = {all:#};\n")
}

fn written(page: &Path, name: &str, bytes: &[u8]) -> Result<PageFile, DraftError> {
    let path = page.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| unwritten(folder, source))?;
    }
    fs::write(&path, bytes).map_err(|source| unwritten(&path, source))?;
    Ok(PageFile { file: name.to_owned(), bytes: bytes.len() as u64 })
}

fn unwritten(path: &Path, source: io::Error) -> DraftError {
    DraftError::Write { path: path.to_owned(), source }
}
