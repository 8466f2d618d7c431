//! `cumulet pull`: a component comes from a registry.

use std::path::PathBuf;

use clap::Args;
use cumulet_node::fetch::{Remote, TransferBounds};
use cumulet_node::publish::{self, UnpackError};
use cumulet_spec::reference::Reference;
use serde_json::json;

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::terminal::Terminal;

/// Pull a component from an OCI registry into a file
#[derive(Debug, Args)]
#[command(after_help = "\
What comes is held against the digests that lead to it before a byte is written. Credentials are those of `docker login`; plain HTTP \
is spoken with registries on this machine only.

Examples:
  cumulet pull ghcr.io/me/front:1.0 -o front.wasm
  cumulet pull ghcr.io/me/front@sha256:DIGEST -o front.wasm --json")]
pub(crate) struct Pull {
    /// Where from: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST
    #[arg(value_name = "REFERENCE", value_parser = Reference::parse)]
    reference: Reference,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Pull {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let text = format!("pulling {}", self.reference);
        let step = terminal.step(text.clone());
        let told = |transferred| fetching::tell(&step, terminal, &text, transferred);
        let what = format!("cannot pull {}", self.reference);
        let failed = |error| fetching::failed(&what, &error);
        let remote = Remote::new(fetching::credentials(), TransferBounds::default()).map_err(failed)?;
        let pulled = remote.pull(&self.reference, &told).await.map_err(failed)?;
        drop(step);
        let inspection = publish::unpack(&pulled.bytes, &self.output).map_err(|error| self.unkept(&error))?;
        let named = self.reference.with_digest(pulled.manifest);
        if terminal.is_json() {
            terminal.json(&json!({
                "reference": named.to_string(),
                "manifest": pulled.manifest.to_string(),
                "digest": pulled.digest.to_string(),
                "bytes": pulled.bytes.len(),
                "kind": inspection.kind.label(),
                "file": self.output.display().to_string(),
            }));
        } else {
            terminal.data(&named.to_string());
            terminal.done(&format!("{}: {}, {} bytes", self.output.display(), inspection.kind, pulled.bytes.len()));
        }
        Ok(Exit::DONE)
    }

    fn unkept(&self, error: &UnpackError) -> Box<Failure> {
        match error {
            UnpackError::Invalid(invalid) => {
                Failure::new(Exit::INVALID, format!("what {} holds is not WebAssembly", self.reference))
                    .because(invalid)
                    .next("pull another; nothing was written")
            }
            UnpackError::Write(io) => Failure::new(Exit::FAILED, "cannot write the component")
                .at(&self.output)
                .because(io)
                .next("name a file in a folder that can be written"),
        }
    }
}
