//! What a process holds in memory, and a folder on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{Advice, fadvise};

/// Bytes of one block as file systems count them.
const BLOCK_BYTES: u64 = 512;

/// The memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident, shared or not.
    pub(crate) resident: f64,
    /// Resident and of no file: what it has written.
    pub(crate) anonymous: f64,
    /// Resident, shared pages counted by share.
    pub(crate) proportional: f64,
}

impl Memory {
    /// Reads it now.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        let (status, rollup) = (read("status")?, read("smaps_rollup")?);
        Ok(Self {
            resident: bytes(&status, "VmRSS:")?,
            anonymous: bytes(&status, "RssAnon:")?,
            proportional: bytes(&rollup, "Pss:")?,
        })
    }
}

fn bytes(text: &str, name: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(kib.with_context(|| format!("the kernel says no {name}"))? * 1024.0)
}

/// What a folder takes on the disk.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disk {
    /// Bytes of blocks.
    pub(crate) bytes: u64,
    /// Files.
    pub(crate) files: u64,
}

impl Disk {
    /// Adds up everything below a folder.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let mut sum = Self::default();
        each_file(folder, &mut |_path, about| {
            sum.bytes += about.blocks() * BLOCK_BYTES;
            sum.files += 1;
            Ok(())
        })?;
        Ok(sum)
    }
}

/// Calls `look` for each file below a folder.
pub(crate) fn each_file(folder: &Path, look: &mut dyn FnMut(&Path, &fs::Metadata) -> Result<()>) -> Result<()> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let about = entry.metadata()?;
            if about.is_dir() {
                folders.push(entry.path());
            } else if about.is_file() {
                look(&entry.path(), &about)?;
            }
        }
    }
    Ok(())
}

/// Leaves what is in a folder's files on the disk alone.
pub(crate) fn empty_page_cache(folder: &Path) -> Result<()> {
    each_file(folder, &mut |path, _| {
        let file = fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        fadvise(&file, 0, None, Advice::DontNeed).context("cannot empty the page cache")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_memory_can_be_read() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.anonymous > 0.0 && memory.resident >= memory.anonymous);
    }

    #[test]
    fn files_in_folders_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("inner/one"), [1; 5000]).unwrap();
        fs::write(folder.path().join("two"), [1; 1]).unwrap();
        let disk = Disk::of(folder.path()).unwrap();
        assert_eq!(disk.files, 2);
        assert!(disk.bytes >= 5000, "{disk:?}");
    }
}
