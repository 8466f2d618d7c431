//! `cumulet build`: runs each component's build, then checks the result, or makes a page of it.

mod browser;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use cumulet_spec::id::ComponentName;

use crate::command::{Ended, check};
use crate::exit::Exit;
use crate::fetching;
use crate::making;
use crate::review::{self, Purpose};
use crate::target::Target;
use crate::terminal::Terminal;

/// Run each component's build, then check the result
#[derive(Debug, Args)]
#[command(after_help = "\
With `--target browser` a component becomes a folder of static files: index.html to try it with, and app.js, an ES module that \
exports `handle(request)`, which resolves to the component's response. It takes a component of WASI 0.2, and jco (npm) to transpile it.

Examples:
  cumulet build
  cumulet build shop --quiet
  cumulet build shop --target browser -o public
  cumulet build target/wasm32-wasip2/release/front.wasm --target browser")]
pub(crate) struct Build {
    /// A folder with cumulet.toml, that file, or a component
    #[arg(value_name = "DIR", default_value = ".")]
    place: PathBuf,

    /// Make a page that runs a component elsewhere than on a node: in a `browser`
    #[arg(long = "target", value_name = "TARGET", value_enum, hide_possible_values = true)]
    platform: Option<Platform>,

    /// The folder for the page; an earlier page in it is replaced [default: browser, beside the manifest]
    #[arg(short, long, value_name = "DIR", requires = "platform")]
    output: Option<PathBuf>,

    /// The component for the page, where routes lead to several
    #[arg(long, value_name = "NAME", requires = "platform")]
    component: Option<ComponentName>,
}

/// Where a component is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Platform {
    /// In a page
    Browser,
}

impl Build {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let target = Target::resolve(&self.place)?;
        match self.platform {
            Some(Platform::Browser) => {
                browser::build(target, self.component.as_ref(), self.output.as_deref(), terminal).await
            }
            None => components(target, terminal).await,
        }
    }
}

/// Builds and checks every component.
async fn components(mut target: Target, terminal: Terminal) -> Ended {
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
