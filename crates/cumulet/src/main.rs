//! Your own edge cloud in one binary.
fn main() {}
