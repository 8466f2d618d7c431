//! `cumulet completions`: the script that completes command lines in a shell.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::exit::Exit;

/// Print the script that completes cumulet's command lines in a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cumulet completions bash > ~/.local/share/bash-completion/completions/cumulet")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn execute(self) -> Exit {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "cumulet", &mut script);
        // A reader that went away is no failure of ours.
        drop(std::io::Write::write_all(&mut std::io::stdout(), &script));
        Exit::DONE
    }
}
