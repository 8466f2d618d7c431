//! What the parts of a node have to say to its operator, beside the event of each invocation: on standard error.

use std::io::stderr;

use tracing_subscriber::EnvFilter;

use crate::terminal::Voice;

/// The variable that says how much is told, such as `debug` or `cumulet_capability=debug`.
const VARIABLE: &str = "CUMULET_LOG";
/// What is told by default: what an operator should know, of our own parts alone.
const DEFAULT: &str = "cumulet_node=info,cumulet_capability=info,cumulet_provider=info,cumulet_gateway=info";

/// Begins to tell. Later calls change nothing.
pub(crate) fn start(voice: Voice) {
    let filter = EnvFilter::builder().with_env_var(VARIABLE).try_from_env().unwrap_or_else(|_unset| DEFAULT.into());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false);
    // An error means that somebody tells already.
    drop(match voice {
        Voice::Json => subscriber.json().flatten_event(true).try_init(),
        Voice::Plain | Voice::Quiet => subscriber.compact().try_init(),
    });
}
