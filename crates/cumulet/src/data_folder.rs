//! Where a node keeps its data when nobody says where.

use std::path::{Path, PathBuf};

use cumulet_node::folder::is_writable;

use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;

/// The system's place for it.
const SYSTEM: &str = "/var/lib/cumulet";

/// The folders that a node would use, in the order in which they are tried.
pub(crate) fn candidates() -> Vec<PathBuf> {
    let mut variables = variables();
    // A relative path in the variable is to be ignored, as the specification of these variables says.
    let absolute = |text: Option<String>| text.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute(variables.remove("HOME")).map(|home| home.join(".local/state"));
    let own = absolute(variables.remove("XDG_STATE_HOME")).or(home);
    std::iter::once(PathBuf::from(SYSTEM)).chain(own.map(|state| state.join("cumulet"))).collect()
}

/// The first of them that can be written; it is made if it is not there.
pub(crate) fn writable() -> Result<PathBuf, Box<Failure>> {
    candidates().into_iter().find(|folder| is_writable(folder)).ok_or_else(none)
}

/// Nothing to choose from.
pub(crate) fn none() -> Box<Failure> {
    let own = "$XDG_STATE_HOME and $HOME name no other that can";
    Failure::new(Exit::FAILED, "there is no data folder")
        .at(Path::new(SYSTEM))
        .why(format!("it cannot be written, and {own}"))
        .next("name one with --data-dir")
}
