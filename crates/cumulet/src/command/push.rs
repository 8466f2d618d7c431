//! `cumulet push`: a component goes to a registry.

use std::path::{Path, PathBuf};

use clap::Args;
use cumulet_node::fetch::{Remote, TransferBounds};
use cumulet_node::publish::{self, Package, PackageError, PackageErrorKind};
use cumulet_spec::id::ComponentName;
use cumulet_spec::reference::Reference;
use serde_json::json;

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::target::Target;
use crate::terminal::Terminal;

/// Push a component to an OCI registry, in the layout that wkg, wasmCloud and Spin read
#[derive(Debug, Args)]
#[command(after_help = "\
Prints what was pushed, with its digest, and the line by which a manifest takes it. The same component makes the same digest, \
whoever pushes it and when. Credentials are those of `docker login`; plain HTTP is spoken with registries on this machine only.

Examples:
  cumulet push shop ghcr.io/me/front:1.0
  cumulet push shop ghcr.io/me/auth:1.0 --component auth
  cumulet push target/wasm32-wasip2/release/front.wasm 127.0.0.1:5000/front:dev --json")]
pub(crate) struct Push {
    /// A .wasm or .wat file, or a folder or manifest with a component that was built
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// Where to: REGISTRY/REPOSITORY:TAG; without a tag it can be had by its digest only
    #[arg(value_name = "REFERENCE", value_parser = Reference::parse)]
    reference: Reference,
    /// Which component of the manifest, where it has several
    #[arg(long, value_name = "NAME", value_parser = ComponentName::parse)]
    component: Option<ComponentName>,
}

impl Push {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        if self.reference.digest().is_some() {
            return Err(Failure::new(Exit::USAGE, format!("cannot push to {}", self.reference))
                .why("the digest follows from what is pushed")
                .next(format!("push to {}", self.reference.without_digest())));
        }
        let path = self.file()?;
        let package = publish::package(&path).map_err(|error| unfit(&error))?;
        let text = format!("pushing {} to {}", path.display(), self.reference);
        let step = terminal.step(text.clone());
        let told = |transferred| fetching::tell(&step, terminal, &text, transferred);
        let what = format!("cannot push to {}", self.reference);
        let failed = |error| fetching::failed(&what, &error).at(&path);
        let remote = Remote::new(fetching::credentials(), TransferBounds::default()).map_err(failed)?;
        let pushed = remote.push(&self.reference, (&package.bytes, &package.shape), &told).await.map_err(failed)?;
        drop(step);
        self.announce(&package, &pushed, terminal);
        Ok(Exit::DONE)
    }

    fn file(&self) -> Result<PathBuf, Box<Failure>> {
        let target = Target::resolve(&self.target)?;
        let mut sources = target.sources()?;
        if let Some(wanted) = &self.component {
            sources.retain(|(name, _, _)| *name == wanted);
        }
        match (sources.pop(), sources.is_empty(), &self.component) {
            (Some((_, _, file)), true, _) => Ok(file),
            (None, _, Some(wanted)) => Err(Failure::new(Exit::USAGE, format!("there is no component `{wanted}`"))
                .at(&self.target)
                .next("name one of the manifest's components with --component")),
            _ => Err(Failure::new(Exit::USAGE, "the manifest has several components, and one is pushed at a time")
                .at(&self.target)
                .next("say which with --component NAME")),
        }
    }

    fn announce(&self, package: &Package, pushed: &publish::Pushed, terminal: Terminal) {
        let named = self.reference.with_digest(pushed.manifest);
        // Without a tag nothing but the digest leads there.
        let from = if self.reference.tag().is_some() { &self.reference } else { &named };
        let source = format!("source = {{ oci = \"{from}\", digest = \"{}\" }}", pushed.digest);
        if terminal.is_json() {
            terminal.json(&json!({
                "reference": named.to_string(),
                "manifest": pushed.manifest.to_string(),
                "digest": pushed.digest.to_string(),
                "bytes": package.bytes.len(),
                "sent": pushed.sent,
                "source": source,
            }));
            return;
        }
        terminal.data(&named.to_string());
        terminal.data(&source);
        if pushed.sent == 0 {
            terminal.note("the registry had all of it already");
        }
    }
}

fn unfit(error: &PackageError) -> Box<Failure> {
    let path: &Path = &error.path;
    match &error.kind {
        PackageErrorKind::Source(source) => Failure::new(Exit::FAILED, "cannot read the component")
            .at(path)
            .because(source)
            .next("build it with `cumulet build`, or correct the path"),
        PackageErrorKind::Invalid(invalid) => Failure::new(Exit::INVALID, "the component is not valid WebAssembly")
            .at(path)
            .because(invalid)
            .next("build it again"),
    }
}
