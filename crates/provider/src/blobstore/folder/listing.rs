//! A page of names.

use std::collections::BTreeSet;
use std::io;

use rustix::fs::{Dir, DirEntry, FileType};

use super::file_name::{Told, name_in_header, told};
use super::root::{Root, open_file};
use crate::blobstore::{NamePage, PAGE_NAMES_MAX};

/// The first names after `after` in the order of their bytes.
///
/// A folder gives its files in no order, so all of them are read and the least names kept: time grows with the objects in
/// the container, memory with the names in a page.
pub(super) fn page(root: &Root, after: Option<&str>) -> io::Result<NamePage> {
    let mut least = BTreeSet::new();
    for entry in Dir::read_from(&root.objects)? {
        let Some(name) = name_of(root, &entry?)? else {
            continue;
        };
        if after.is_some_and(|after| name.as_str() <= after) {
            continue;
        }
        least.insert(name);
        if least.len() > PAGE_NAMES_MAX + 1 {
            least.pop_last();
        }
    }
    let more = least.len() > PAGE_NAMES_MAX;
    Ok(NamePage { names: least.into_iter().take(PAGE_NAMES_MAX).collect(), more })
}

/// The name of the object in a file; `None` if it is none, or is gone by now.
fn name_of(root: &Root, entry: &DirEntry) -> io::Result<Option<String>> {
    let Ok(file) = entry.file_name().to_str() else {
        return Ok(None);
    };
    let told = told(file);
    let is_file = match entry.file_type() {
        FileType::RegularFile => true,
        // Some file systems do not say.
        FileType::Unknown => {
            open_file(&root.objects, file).and_then(|file| file.metadata()).is_ok_and(|of| of.is_file())
        }
        _ => false,
    };
    match told {
        Told::Name(name) if is_file => Ok(Some(name)),
        Told::Header if is_file => match open_file(&root.objects, file) {
            Ok(contents) => name_in_header(file, contents),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        },
        _ => Ok(None),
    }
}
