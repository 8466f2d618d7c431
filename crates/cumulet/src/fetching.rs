//! Fetches what a manifest names elsewhere, and tells how that goes, as for everything that comes from or goes to a registry.

use std::sync::OnceLock;

use cumulet_node::fetch::{
    self, Credentials, FetchComponentError, FetchError, FetchStep, TransferError, TransferErrorKind, Transferred,
};
use cumulet_spec::manifest::{Position, Source};

use crate::command::block_on;
use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;
use crate::terminal::{Step, Terminal};

/// Fetches what is elsewhere and was not fetched before.
///
/// # Errors
/// At the first component that cannot be had.
pub(crate) async fn fetch(target: &mut Target, terminal: Terminal) -> Result<(), Box<Failure>> {
    if !is_elsewhere(target) {
        return Ok(());
    }
    // Only what is really fetched is worth a line.
    let step = OnceLock::new();
    let told = |told: FetchStep<'_>| {
        let text = format!("fetching {} from {}", told.component, told.from);
        match (told.transferred, step.get()) {
            (None, None) => drop(step.set(terminal.step(text))),
            (None, Some(step)) => step.tell(&text),
            (Some(transferred), Some(step)) => tell(step, terminal, &text, transferred),
            (Some(_), None) => {}
        }
    };
    let fetched = fetch::fetch(&target.manifest, &target.base_dir, &credentials(), &told).await;
    drop(step);
    let mut fetched = fetched.map_err(|error| unfetched(target, &error))?;
    for path in fetched.values_mut() {
        // People know the short form.
        *path = path.strip_prefix(".").unwrap_or(path).to_owned();
    }
    target.fetched = fetched;
    Ok(())
}

/// The same for a command that runs on no threads yet.
///
/// # Errors
/// As for [`fetch`].
pub(crate) fn fetch_blocking(target: &mut Target, terminal: Terminal) -> Result<(), Box<Failure>> {
    if is_elsewhere(target) { block_on(fetch(target, terminal))? } else { Ok(()) }
}

/// Who this person is to registries.
pub(crate) fn credentials() -> Credentials {
    Credentials::of_docker(&variables())
}

/// Tells somebody who watches how far a transfer is; nobody reads that in a file.
pub(crate) fn tell(step: &Step, terminal: Terminal, what: &str, transferred: Transferred) {
    if !terminal.is_interactive() {
        return;
    }
    let total = transferred.total.map_or_else(String::new, |total| format!(" of {}", kib(total)));
    step.tell(&format!("{what}: {}{total} KiB", kib(transferred.bytes)));
}

/// The failure of a transfer that a command was asked for. `what` names the reference.
pub(crate) fn failed(what: &str, error: &TransferError) -> Box<Failure> {
    let failure = Failure::new(exit(&error.kind), what);
    let failure = if what.contains(&error.place) { failure } else { failure.why(error.place.clone()) };
    failure.because(&error.kind)
}

/// What a transfer's failure ends with: bytes that must not be used are as invalid as a component that is none.
fn exit(kind: &TransferErrorKind) -> Exit {
    match kind {
        TransferErrorKind::Unfit(_) | TransferErrorKind::Unnamed => Exit::USAGE,
        TransferErrorKind::Digest { .. }
        | TransferErrorKind::NotWasm(_)
        | TransferErrorKind::Several(_)
        | TransferErrorKind::Insecure => Exit::INVALID,
        _ => Exit::FAILED,
    }
}

fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 10)
}

fn is_elsewhere(target: &Target) -> bool {
    target.manifest.components.values().any(|component| !matches!(component.source, Source::File(_)))
}

fn unfetched(target: &Target, error: &FetchComponentError) -> Box<Failure> {
    let exit = match &error.kind {
        FetchError::Transfer(_, kind) => exit(kind),
        FetchError::Store(_) | FetchError::Component(_) | FetchError::Interrupted => Exit::FAILED,
    };
    let failure = Failure::new(exit, error.to_string());
    let component = target.manifest.components.get(&error.component);
    let failure = match (&target.file, component) {
        (Some(file), Some(component)) => {
            let position = Position::of(&file.text, component.spans.source.start);
            failure.at(&file.path).at_position(Some(position))
        }
        _ => failure,
    };
    failure.because(&error.kind)
}
