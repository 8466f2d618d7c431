//! `cumulet secret`: the secrets of an app, encrypted at rest.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use cumulet_node::NodeKey;
use cumulet_node::values::{SECRET_BYTES_MAX, Vault, open_vault};
use cumulet_spec::id::AppId;
use cumulet_spec::sensitive::Sensitive;
use serde_json::json;

use crate::command::Ended;
use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;
use crate::terminal::Terminal;

/// Set, list and remove the secrets that components read through wasi:config
#[derive(Debug, Args)]
#[command(after_help = "\
A component reads the secrets that its manifest grants by name: secret = [\"JWT_KEY\"]. Values are encrypted in the data folder \
under a key that only this node has, and are never printed. `cumulet up` takes what is not set here from the variable \
CUMULET_SECRET_NAME.

Examples:
  cumulet secret set JWT_KEY < key.pem
  cumulet secret set API_TOKEN --from-env API_TOKEN
  cumulet secret list")]
pub(crate) struct Secret {
    #[command(subcommand)]
    action: Action,
    /// A folder with cumulet.toml, or that file
    #[arg(long, value_name = "TARGET", default_value = ".", global = true)]
    app: PathBuf,
    /// Where secrets are kept [default: .cumulet beside the manifest]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// Set a secret to what standard input holds, without a line end at its end
    Set {
        /// The name, as manifests grant it
        name: String,
        /// Take the value from this variable instead
        #[arg(long, value_name = "VARIABLE", conflicts_with = "from_file")]
        from_env: Option<String>,
        /// Take the value from this file instead, as it is
        #[arg(long, value_name = "FILE")]
        from_file: Option<PathBuf>,
    },
    /// Print the names of the app's secrets
    List,
    /// Remove a secret
    Remove {
        /// The name
        name: String,
    },
}

impl Secret {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        let target = Target::resolve(&self.app)?;
        let app = &AppId::local(target.manifest.app.name.clone());
        let data_dir = self.data_dir.unwrap_or_else(|| target.base_dir.join(".cumulet"));
        let mut vault = open(&data_dir)?;
        match self.action {
            Action::Set { name, from_env, from_file } => {
                let value = value(from_env.as_deref(), from_file.as_deref())?;
                warn_ungranted(&target, &name, terminal);
                vault.set(app, &name, &value).map_err(|error| failed(&error))?;
                terminal.done(&format!("{app}: {name} is set"));
            }
            Action::List => list(&vault, app, terminal),
            Action::Remove { name } => {
                if !vault.remove(app, &name).map_err(|error| failed(&error))? {
                    return Err(Failure::new(Exit::FAILED, format!("{app} has no secret `{name}`"))
                        .next("see `cumulet secret list`"));
                }
                terminal.done(&format!("{app}: {name} is removed"));
            }
        }
        Ok(Exit::DONE)
    }
}

fn open(data_dir: &Path) -> Result<Vault, Box<Failure>> {
    let made = std::fs::create_dir_all(data_dir);
    made.map_err(|error| {
        Failure::new(Exit::FAILED, "cannot create the data folder")
            .at(data_dir)
            .because(&error)
            .next("choose a folder that can be written with --data-dir")
    })?;
    let key = NodeKey::open(data_dir).map_err(|error| failed(&error))?;
    open_vault(data_dir, &key).map_err(|error| failed(&error))
}

fn value(from_env: Option<&str>, from_file: Option<&Path>) -> Result<Sensitive, Box<Failure>> {
    if let Some(variable) = from_env {
        let value = variables().remove(variable).map(Sensitive::new);
        return value.ok_or_else(|| {
            Failure::new(Exit::USAGE, format!("the variable {variable} is not set")).next("set it, or name another")
        });
    }
    let unreadable = |error: &std::io::Error| {
        let failure = Failure::new(Exit::FAILED, "cannot read the secret").because(error);
        failure.next(format!("give text of at most {SECRET_BYTES_MAX} bytes"))
    };
    let mut text = String::new();
    let bound = SECRET_BYTES_MAX as u64 + 2;
    match from_file {
        Some(file) => {
            let file = std::fs::File::open(file).map_err(|error| unreadable(&error))?;
            file.take(bound).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
        }
        None => {
            std::io::stdin().take(bound).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
            let kept = text.strip_suffix('\n').map_or(text.len(), |line| line.strip_suffix('\r').unwrap_or(line).len());
            text.truncate(kept);
        }
    }
    Ok(Sensitive::new(text))
}

fn warn_ungranted(target: &Target, name: &str, terminal: Terminal) {
    let granted = target.manifest.components.values().any(|one| one.grants.secret.iter().any(|secret| secret == name));
    if !granted {
        terminal.warning(&format!("no component is granted the secret `{name}`"));
    }
}

fn list(vault: &Vault, app: &AppId, terminal: Terminal) {
    let names = vault.names(app);
    if terminal.is_json() {
        terminal.json(&json!({ "app": app.app.as_str(), "secrets": names }));
        return;
    }
    for name in names {
        terminal.data(&name);
    }
}

fn failed(error: &dyn std::error::Error) -> Box<Failure> {
    Failure::new(Exit::FAILED, "cannot use the secrets")
        .because(error)
        .next("see the data folder, or choose another with --data-dir")
}
