//! `cumulet sign`: a developer vouches for an app.

use std::path::PathBuf;

use clap::Args;
use cumulet_node::publish;
use cumulet_node::signing::{self, SIGNATURE_FILE, SigningKey};
use serde_json::json;

use crate::command::{Ended, key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::target::Target;
use crate::terminal::Terminal;

/// Sign an app: its manifest and its components, as they are now
#[derive(Debug, Args)]
#[command(after_help = "\
Writes cumulet.sig beside the manifest. A node takes it where the tenant trusts the key, in its configuration: \
[tenant.NAME] keys = [\"cumulet-key:ed25519:…\"]. Sign again after every build and every change of the manifest.

Examples:
  cumulet key new --out ~/.config/cumulet.key
  cumulet sign --key ~/.config/cumulet.key
  cumulet sign shop --key ~/.config/cumulet.key --json")]
pub(crate) struct Sign {
    /// A folder with cumulet.toml, or that file
    #[arg(value_name = "DIR", default_value = ".")]
    target: PathBuf,
    /// The file with the key, as `cumulet key new` wrote it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl Sign {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        let signing_key = SigningKey::open(&self.key).map_err(|error| key::failed(&error))?;
        let mut target = Target::resolve(&self.target)?;
        fetching::fetch_blocking(&mut target, terminal)?;
        let Some(file) = &target.file else {
            return Err(Failure::new(Exit::USAGE, "a bare component cannot be signed")
                .at(&self.target)
                .why("what is signed is an app: a manifest with its components")
                .next("name a folder with cumulet.toml"));
        };
        let statement = signing::statement(&target.manifest, &file.text, &target.base_dir).map_err(|error| {
            Failure::new(Exit::FAILED, format!("component `{}` cannot be signed", error.component))
                .because(&error.kind)
                .next("build it with `cumulet build`")
        })?;
        let signed = signing::sign(&statement, &signing_key);
        let path = file.path.with_file_name(SIGNATURE_FILE);
        publish::write(signed.to_text().as_bytes(), &path).map_err(|error| {
            let failure = Failure::new(Exit::FAILED, "cannot write the signature").at(&path).because(&error);
            failure.next("see that the manifest's folder can be written")
        })?;
        if terminal.is_json() {
            let components =
                statement.components.iter().map(|(name, digest)| (name.to_string(), json!(digest.to_string())));
            terminal.json(&json!({
                "file": path.display().to_string(),
                "key": signed.key.to_string(),
                "app": statement.app.as_str(),
                "manifest": statement.manifest.to_string(),
                "components": serde_json::Map::from_iter(components),
            }));
        } else {
            terminal.data(signed.statement.trim_end());
            terminal.done(&format!("{} by {}", path.display(), signed.key));
        }
        Ok(Exit::DONE)
    }
}
