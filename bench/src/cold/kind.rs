//! Which cold is meant.

/// What stands between a request and its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The file is in the page cache and was not verified by this process.
    First,
    /// The file is in the page cache and was verified by this process.
    Later,
    /// As [`Kind::First`] with the files on the disk alone.
    FirstFromDisk,
    /// As [`Kind::Later`] with the files on the disk alone.
    LaterFromDisk,
    /// There is no compiled file.
    Recompiled,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::First, Self::Later, Self::FirstFromDisk, Self::LaterFromDisk, Self::Recompiled];

    /// Its name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::First => "C1 first",
            Self::Later => "C1 later",
            Self::FirstFromDisk => "C2 first",
            Self::LaterFromDisk => "C2 later",
            Self::Recompiled => "C3",
        }
    }

    /// What is measured.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::First => "files in the page cache, the first load since the node started, which verifies them whole",
            Self::Later => "files in the page cache, loaded again after an eviction",
            Self::FirstFromDisk => "as C1 first, after posix_fadvise(DONTNEED) on all files of the data folder",
            Self::LaterFromDisk => "as C1 later, after posix_fadvise(DONTNEED) on all files of the data folder",
            Self::Recompiled => "no compiled file: compiled anew by a process apart",
        }
    }

    /// Whether apps are loaded once already, and evicted.
    pub(super) fn is_later(self) -> bool {
        matches!(self, Self::Later | Self::LaterFromDisk)
    }

    /// Whether files are taken out of the page cache.
    pub(super) fn is_from_disk(self) -> bool {
        matches!(self, Self::FirstFromDisk | Self::LaterFromDisk)
    }
}
