//! What the registry promises, on a real file, and under kills.

#[cfg(test)]
mod all {
    mod crash;
    mod registry;
}
