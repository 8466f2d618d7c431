//! `cumulet key`: the keys that sign apps.

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use cumulet_node::signing::{SigningKey, SigningKeyError};
use serde_json::json;

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Make a key that signs apps, or show the public half of one
#[derive(Debug, Args)]
#[command(after_help = "\
What is printed is the public half, for the list of those that trust it: [tenant.NAME] keys = [\"cumulet-key:ed25519:…\"]. The file \
holds the secret half: only its owner may read it, and who has it can sign in its owner's name.

Examples:
  cumulet key new
  cumulet key new --out ~/.config/cumulet.key
  cumulet key show ~/.config/cumulet.key")]
pub(crate) struct Key {
    #[command(subcommand)]
    action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key, and print its public half
    New {
        /// The file to write, which must not be there yet
        #[arg(long, value_name = "FILE", default_value = "cumulet.key")]
        out: PathBuf,
    },
    /// Print the public half of a key
    Show {
        /// The file with the key
        #[arg(value_name = "FILE", default_value = "cumulet.key")]
        file: PathBuf,
    },
}

impl Key {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        match self.action {
            Action::New { out } => {
                let key = SigningKey::generate();
                key.create(&out).map_err(|error| failed(&error))?;
                show(&key, terminal);
                terminal.done(&format!("{} holds the secret half: keep it out of repositories", out.display()));
            }
            Action::Show { file } => show(&SigningKey::open(&file).map_err(|error| failed(&error))?, terminal),
        }
        Ok(Exit::DONE)
    }
}

fn show(key: &SigningKey, terminal: Terminal) {
    let public = key.public();
    if terminal.is_json() {
        terminal.json(&json!({ "key": public.to_string(), "id": public.id().to_string() }));
    } else {
        terminal.data(&public.to_string());
    }
}

/// The failure of a key's file.
pub(super) fn failed(error: &SigningKeyError) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, "cannot use the signing key").because(error);
    match error.kind() {
        ErrorKind::NotFound => failure.next("make one with `cumulet key new`, or name another file"),
        ErrorKind::AlreadyExists => failure.next("choose another file with --out: a key is never overwritten"),
        _ => failure,
    }
}
