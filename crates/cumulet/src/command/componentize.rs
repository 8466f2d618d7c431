//! `cumulet componentize`: a component out of a core module.

use std::path::PathBuf;

use clap::Args;
use cumulet_node::componentize::{ComponentizeError, componentize};
use serde_json::json;

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Make a component out of a core module, for compilers that know preview 1 of WASI and no components
#[derive(Debug, Args)]
#[command(after_help = "\
The module imports and exports what bindings generated from the same interfaces name; what it imports of preview 1 is \
adapted to WASI 0.2. Build commands find this program in $CUMULET.

Example:
  cumulet componentize build/core.wasm --wit wit --world app -o build/app.wasm")]
pub(crate) struct Componentize {
    /// The core module
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// The interfaces: a .wit file, or a folder of them with what they use under `deps`
    #[arg(long, value_name = "PATH")]
    wit: PathBuf,
    /// The world that the module is for; may be left out where there is only one
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Componentize {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        let bytes = componentize(&self.module, &self.wit, self.world.as_deref(), &self.output)
            .map_err(|error| failed(&error))?;
        let file = self.output.display().to_string();
        if terminal.is_json() {
            terminal.json(&json!({ "file": file, "bytes": bytes }));
        } else {
            terminal.done(&format!("{file}: {bytes} bytes"));
        }
        Ok(Exit::DONE)
    }
}

fn failed(error: &ComponentizeError) -> Box<Failure> {
    let (exit, next) = match error {
        ComponentizeError::Module { .. } => (Exit::FAILED, "name the file that the compiler wrote"),
        ComponentizeError::NoModule { .. } => (Exit::INVALID, "name a core module; a component needs no change"),
        ComponentizeError::Wit { .. } => (Exit::INVALID, "correct the interfaces, or name a world of theirs: --world"),
        ComponentizeError::Unfit { .. } => {
            (Exit::INVALID, "generate the bindings again from the same interfaces, and compile them into the module")
        }
        ComponentizeError::Write { .. } => (Exit::FAILED, "name a file in a folder that can be written"),
    };
    Failure::new(exit, "cannot make a component").because(error).next(next)
}
