//! The nouns that cross a process or a disk: manifest, revision, ids, limits, outcome, usage record.
