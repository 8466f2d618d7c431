//! What the parts of a node have to say to its operator, beside the event of each invocation: on standard error.

use std::io::stderr;

use tracing_subscriber::EnvFilter;

use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Voice;

/// The variable that says how much is told, such as `debug` or `cumulet_capability=debug`.
const VARIABLE: &str = "CUMULET_LOG";
/// What is told by default: what an operator should know, of our own parts alone.
const DEFAULT: &str = "cumulet_node=info,cumulet_capability=info,cumulet_provider=info,cumulet_gateway=info";

/// Begins to tell. Later calls change nothing.
///
/// # Errors
/// When the variable holds no filter.
pub(crate) fn start(voice: Voice) -> Result<(), Box<Failure>> {
    let asked = variables().remove(VARIABLE);
    let filter = EnvFilter::builder().parse(asked.as_deref().unwrap_or(DEFAULT)).map_err(|error| {
        Failure::new(Exit::USAGE, format!("the variable {VARIABLE} holds no filter of what is logged"))
            .because(&error)
            .next("write a level, such as `debug`, or a part with its level, such as `cumulet_provider=debug`")
    })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false);
    // An error means that somebody tells already.
    drop(match voice {
        Voice::Json => subscriber.json().flatten_event(true).try_init(),
        Voice::Plain | Voice::Quiet => subscriber.compact().try_init(),
    });
    Ok(())
}
