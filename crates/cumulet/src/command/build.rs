//! `cumulet build`: runs each component's build, then checks the result.

use std::path::PathBuf;

use clap::Args;

use crate::command::{Ended, check};
use crate::exit::Exit;
use crate::fetching;
use crate::making;
use crate::review::{self, Purpose};
use crate::target::Target;
use crate::terminal::Terminal;

/// Run each component's build, then check the result
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cumulet build\n  cumulet build shop --quiet")]
pub(crate) struct Build {
    /// A folder with cumulet.toml, or that file
    #[arg(value_name = "DIR", default_value = ".")]
    target: PathBuf,
}

impl Build {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let mut target = Target::resolve(&self.target)?;
        fetching::fetch(&mut target, terminal).await?;
        let built = making::build(&target, |_| true, terminal).await?;
        if built == 0 {
            terminal.note("no component has a build command; checking what is there");
        }
        let reviewed = review::review(&target, Purpose::Show)?;
        let refused = review::refused(&target, &reviewed);
        check::conclude((&target, &reviewed), refused.as_deref(), terminal);
        refused.map_or(Ok(Exit::DONE), Err)
    }
}
