//! The compiled tests below a checkout of the suite.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::conformance::specification::Specification;

/// How deep below the checkout a test can lie.
const DEPTH_MAX: usize = 8;

/// One compiled test.
#[derive(Debug)]
pub(super) struct Test {
    /// The module's or component's file.
    pub(super) file: PathBuf,
    /// `language/test`.
    pub(super) name: String,
    /// The folder that says what it was compiled for: `wasm32-wasip1`.
    pub(super) version: String,
    pub(super) specification: Specification,
}

/// Every compiled test, in the order of their names.
pub(super) fn find(suite: &Path) -> anyhow::Result<Vec<Test>> {
    let mut files = Vec::new();
    collect(suite, DEPTH_MAX, &mut files)?;
    files.sort();
    files.into_iter().map(|file| test(suite, file)).collect()
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            collect(&path, depth - 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    Ok(())
}

fn test(suite: &Path, file: PathBuf) -> anyhow::Result<Test> {
    let specification = Specification::read(&file.with_extension("json"))?;
    let text = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let version = text(file.parent().and_then(Path::file_name));
    // tests/LANGUAGE/testsuite/VERSION/NAME.wasm
    let below = file.strip_prefix(suite).unwrap_or(&file);
    let language = below.iter().find(|part| *part != "tests").unwrap_or_default().to_string_lossy();
    let name = format!("{language}/{}", text(file.file_stem()));
    Ok(Test { name, version, specification, file })
}
