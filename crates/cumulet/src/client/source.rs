//! Where a command reads what a node has seen: from the node, or from its data folder.

use std::path::{Path, PathBuf};

use clap::Args;
use cumulet_spec::api::WhoAmI;

use super::node_args::HEADING;
use super::{Client, NodeArgs, Resource};
use crate::data_folder::candidates;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The data folder of an app that is developed here.
const BESIDE_MANIFEST: &str = ".cumulet";

/// Which node, or which folder.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The admin address of the node [default: http://127.0.0.1:3001]
    // Read by us: a refusal of clap's would print the address, and with it a password.
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    pub(super) node: Option<String>,
    /// A file with the token [default: the one that a node of this machine wrote]
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir", help_heading = HEADING)]
    pub(super) token_file: Option<PathBuf>,
    /// Read this data folder and ask no node; with --node, the data folder of that node, for the token that it wrote
    #[arg(long, value_name = "DIR", help_heading = HEADING)]
    pub(super) data_dir: Option<PathBuf>,
    /// Believe the certificates in this file, in PEM, about who the node is, in place of this machine's
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub(super) ca: Option<PathBuf>,
}

/// Where it is read.
#[derive(Debug)]
pub(crate) enum Source {
    /// From a node that runs, by whoever this is there.
    Node(Box<Client>, WhoAmI),
    /// From a data folder, beside a node or after it has ended.
    Folder(PathBuf),
}

impl SourceArgs {
    /// What the flags name. Where they name nothing: the data folder in the current folder, if it has what is `kept`; else
    /// the node of this machine; else, if there is no token for it or it does not answer, the folder that it would use.
    ///
    /// # Errors
    /// When there is none of them, or the node refuses.
    pub(crate) async fn open(&self, kept: &str, terminal: Terminal) -> Result<Source, Box<Failure>> {
        if let (None, Some(folder)) = (&self.node, &self.data_dir) {
            return Ok(Source::Folder(folder.clone()));
        }
        let is_named = self.node.is_some() || self.token_file.is_some();
        let beside = Path::new(BESIDE_MANIFEST);
        if !is_named && beside.join(kept).is_dir() {
            return Ok(Source::Folder(beside.to_owned()));
        }
        let fallback = || candidates().into_iter().find(|folder| !is_named && folder.join(kept).is_dir());
        let client = match Client::open(&NodeArgs::of(self), terminal) {
            Ok(client) => client,
            Err(failure) => return fallback().map(Source::Folder).ok_or(failure),
        };
        match client.get(&Resource::new(["whoami"])).await {
            Ok(who) => Ok(Source::Node(Box::new(client), who)),
            Err(error) => match fallback().filter(|_| error.is_silence()) {
                Some(folder) => {
                    let (node, folder_name) = (client.node(), folder.display());
                    terminal.note(&format!("no node answers at {node}: this is from its data folder {folder_name}"));
                    Ok(Source::Folder(folder))
                }
                None => Err(error.failure("cannot ask the node")),
            },
        }
    }
}
