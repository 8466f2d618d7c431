//! The command line as a whole: what is parsed, and which command it starts.

use std::process::ExitCode;

use clap::{Args, Parser};

use crate::command::Command;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{Terminal, Voice};

const AFTER_HELP: &str = "\
Errors go to standard error: what failed, where, why, and the next step; with --json as one line {\"error\":{…}}.
Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 the manifest or a component is invalid, 4 a node cannot be reached.

Example:
  cumulet new hello --template rust-http && cd hello && cumulet up";

/// Your own edge cloud in one binary: serves WebAssembly components, with a fresh isolate for every request.
#[derive(Debug, Parser)]
#[command(name = "cumulet", version, about, after_help = AFTER_HELP, arg_required_else_help = true, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    output: OutputArgs,
    #[command(subcommand)]
    command: Command,
}

/// How the command speaks.
#[derive(Debug, Args)]
struct OutputArgs {
    /// Print data, events and errors as JSON, one value a line
    #[arg(long, global = true, display_order = 900)]
    json: bool,
    /// Print data and errors only
    #[arg(long, global = true, display_order = 901)]
    quiet: bool,
}

impl OutputArgs {
    fn voice(&self) -> Voice {
        match (self.json, self.quiet) {
            (true, _) => Voice::Json,
            (false, true) => Voice::Quiet,
            (false, false) => Voice::Plain,
        }
    }
}

/// Reads the command line, does what it says, and returns the process's exit code.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error).into(),
    };
    let terminal = Terminal::new(cli.output.voice());
    let exit = cli.command.execute(terminal).unwrap_or_else(|failure| {
        terminal.failure(&failure);
        failure.exit()
    });
    exit.into()
}

/// What clap has to say: help and version on standard output, mistakes on standard error.
fn refused(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // A reader that went away is no failure of ours.
        drop(error.print());
        return Exit::DONE;
    }
    let wants_json = std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json");
    if wants_json {
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let failure = Failure::new(Exit::USAGE, what).next("see `cumulet --help`");
        Terminal::new(Voice::Json).failure(&failure);
    } else {
        drop(error.print());
    }
    Exit::USAGE
}
