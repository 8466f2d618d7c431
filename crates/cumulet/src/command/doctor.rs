//! `cumulet doctor`: which protections and limits are really active on this machine.

mod print;

use std::io::{IsTerminal as _, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use cumulet_node::doctor::{Facts, Finding, Patient, State, judge, read};

use crate::command::Ended;
use crate::command::node::compiler;
use crate::data_folder::{candidates, none};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Where requests are answered unless a node is told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);
/// Where the operator looks unless a node is told otherwise.
const ADMIN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3001);

/// Say which protections and limits are really active on this machine, and what to do about the others
#[derive(Debug, Args)]
#[command(after_help = "\
Run it as the user of the node, beside the node or before its first start. Nothing is changed. Each check is `ok`, `weak` (it works, \
and could be better), `missing` (a protection that is relied on is not there, or the node will not work) or `unknown`. Exits with 1 \
if something is missing. With --json each check is an object on a line.

Examples:
  cumulet doctor
  cumulet doctor --data-dir /srv/cumulet
  cumulet doctor --json")]
pub(crate) struct Doctor {
    /// The data folder that is looked at [default: that of `cumulet node`]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Judge what is in this file instead of this machine
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "data_dir")]
    facts: Option<PathBuf>,
}

impl Doctor {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let facts = match &self.facts {
            Some(file) => given(file)?,
            None => {
                let step = terminal.step("looking at this machine");
                let facts = self.look().await?;
                drop(step);
                facts
            }
        };
        let findings = judge(&facts);
        if terminal.is_json() {
            findings.iter().for_each(|finding| terminal.json(&print::json(finding)));
        } else if stdout().is_terminal() {
            terminal.data(&print::table(&findings));
        } else {
            findings.iter().for_each(|finding| terminal.data(&print::line(finding)));
        }
        let is_missing = |finding: &Finding| finding.state == State::Missing;
        Ok(if findings.iter().any(is_missing) { Exit::FAILED } else { Exit::DONE })
    }

    async fn look(&self) -> Result<Facts, Box<Failure>> {
        let data_dir = match &self.data_dir {
            Some(folder) => folder.clone(),
            None => likely()?,
        };
        let addresses = vec![(LISTEN, "requests"), (ADMIN, "admin")];
        Ok(read(&Patient { data_dir, addresses, compiler: compiler().ok() }).await)
    }
}

/// The folder that a node of this user has, or would make.
fn likely() -> Result<PathBuf, Box<Failure>> {
    let candidates = candidates();
    let found = candidates.iter().find(|folder| folder.join("node.key").exists());
    // Without a node's key anywhere: the last is this user's own, if there is one.
    found.or(candidates.last()).cloned().ok_or_else(none)
}

fn given(file: &Path) -> Result<Facts, Box<Failure>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(Exit::USAGE, "cannot read the facts").at(file).because(&error))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(Exit::USAGE, "these are no facts of a machine").at(file).because(&error))
}
