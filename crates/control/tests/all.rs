//! What the registry promises, on a real file, and under kills.

#[cfg(test)]
mod all {
    mod access;
    mod audit;
    mod blobs;
    mod crash;
    mod crash_deploys;
    mod deploys;
    mod fixture;
    mod format;
    mod registry;
    mod revisions;
    mod traffic;
    mod trials;
}
