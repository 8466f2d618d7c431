//! Which node a command speaks to, and as whom.

use std::path::PathBuf;

use clap::Args;
use cumulet_spec::id::TenantId;
use reqwest::Url;

use super::SourceArgs;
use crate::exit::Exit;
use crate::failure::Failure;

/// Where these flags stand in the help.
pub(super) const HEADING: &str = "Node";
/// Where a node of this machine is.
const NODE_DEFAULT: &str = "http://127.0.0.1:3001";

/// Which node, and as whom.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The admin address of the node
    // Read by us: a refusal of clap's would print the address, and with it a password.
    #[arg(long, value_name = "URL", default_value = NODE_DEFAULT, global = true, help_heading = HEADING)]
    node: String,
    /// A file with the token [default: the one that a node of this machine wrote]
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir", global = true, help_heading = HEADING)]
    pub(crate) token_file: Option<PathBuf>,
    /// The data folder of a node of this machine, for the token that it wrote [default: that of `cumulet node`]
    #[arg(long, value_name = "DIR", global = true, help_heading = HEADING)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Believe the certificates in this file, in PEM, about who the node is, in place of this machine's
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    pub(crate) ca: Option<PathBuf>,
}

/// The same, and whose things.
#[derive(Debug, Args)]
pub(crate) struct TenantArgs {
    /// Whose apps
    #[arg(long, value_name = "T", default_value = "local", value_parser = TenantId::parse, help_heading = HEADING)]
    pub(crate) tenant: TenantId,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

impl NodeArgs {
    /// The flags of a command that has them otherwise.
    pub(super) fn of(args: &SourceArgs) -> Self {
        Self {
            node: args.node.clone().unwrap_or_else(|| NODE_DEFAULT.to_owned()),
            token_file: args.token_file.clone(),
            data_dir: args.data_dir.clone(),
            ca: args.ca.clone(),
        }
    }

    /// Where the node is.
    ///
    /// # Errors
    /// When that is no URL of a node.
    pub(super) fn url(&self) -> Result<Url, Box<Failure>> {
        node_url(&self.node).map_err(|next| Failure::new(Exit::USAGE, "--node is not the URL of a node").next(next))
    }
}

fn node_url(text: &str) -> Result<Url, String> {
    let wrong = || "write http://HOST:PORT or https://HOST:PORT".to_owned();
    let url = Url::parse(text).map_err(|_not_a_url| wrong())?;
    let is_bare = url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_bare {
        return Err(wrong());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a node knows people by tokens: give one with --token-file, and none in the URL".to_owned());
    }
    Ok(url)
}

/// Whether what is sent there stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_address = host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    is_address || host == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_an_http_url() {
        for good in
            ["http://127.0.0.1:3001", "https://edge.example.com", "https://edge.example.com/admin", "http://[::1]:1"]
        {
            assert!(node_url(good).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:3001", "ftp://a", "unix:/run/a", "http://a?b", "http://a#b", "http://me:secret@a"] {
            assert!(node_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn this_machine_is_known() {
        for (url, expect) in [
            ("http://127.0.0.1:3001", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:3001", true),
            ("http://localhost:3001", true),
            ("http://10.0.0.1:3001", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expect, "{url}");
        }
    }
}
